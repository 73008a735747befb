//! Drawing the two pages.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

use crate::db::{Device, DeviceKind, EventRow, What};
use crate::domain::access::Verdict;
use crate::domain::calendar::Off;
use crate::render::one_line;

use super::model::Model;
use super::what;

/// A terminal narrower than this has one column.
const TWO_COLUMNS_FROM: u16 = 70;
/// The most lines that doors and relays take.
const MOST_DEVICES: u16 = 10;

/// The two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// Who comes, who is missing, how the devices stand.
    Arrivals,
    /// This month's register.
    Register,
}

impl Page {
    pub(super) fn other(self) -> Self {
        match self {
            Page::Arrivals => Page::Register,
            Page::Register => Page::Arrivals,
        }
    }
}

/// Draws a page, so many lines further down; returns how many that are, as there may not be so many.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    model: &Model,
    page: Page,
    register: &[String],
    scroll: u16,
) -> u16 {
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(headline(model), head);
    let scroll = match page {
        Page::Arrivals => arrivals(frame, model, body, scroll),
        Page::Register => {
            let lines: Vec<_> = register
                .iter()
                .map(|line| Line::raw(line.as_str()))
                .collect();
            let scroll = scroll.min(most_scroll(lines.len(), body.height));
            frame.render_widget(Paragraph::new(lines).scroll((scroll, 0)), body);
            scroll
        }
    };
    let other = match page {
        Page::Arrivals => "register",
        Page::Register => "arrivals",
    };
    let keys = format!(" q quit   Tab {other}   ↑ ↓ PgUp PgDn Home scroll");
    frame.render_widget(Line::styled(keys, dim()), foot);
    scroll
}

fn headline(model: &Model) -> Line<'static> {
    let standing = &model.standing;
    let now = standing
        .days
        .local(standing.now)
        .format("%a %Y-%m-%d %H:%M:%S");
    let central = match standing.served {
        true => Span::styled("central runs", Style::new().fg(Color::Green)),
        false => Span::styled("the central does not run: no door opens", alarm()),
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    Line::from(vec![
        Span::styled(" twinkle", bold),
        Span::raw(format!("   {now}   ")),
        central,
    ])
}

fn arrivals(frame: &mut Frame<'_>, model: &Model, area: Rect, scroll: u16) -> u16 {
    let devices = device_lines(model);
    let height = u16::try_from(devices.len())
        .unwrap_or(u16::MAX)
        .clamp(1, MOST_DEVICES)
        + 1;
    let [upper, lower] =
        Layout::vertical([Constraint::Min(3), Constraint::Length(height)]).areas(area);
    let (left, right) = match area.width >= TWO_COLUMNS_FROM {
        true => {
            let [left, right] =
                Layout::horizontal([Constraint::Percentage(62), Constraint::Percentage(38)])
                    .areas(upper);
            (left, right)
        }
        false => {
            let [left, right] =
                Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)])
                    .areas(upper);
            (left, right)
        }
    };
    let lines: Vec<_> = match model.events.is_empty() {
        true => vec![Line::styled("nobody has flashed a badge yet", dim())],
        false => model
            .events
            .iter()
            .map(|event| event_line(event, model))
            .collect(),
    };
    let scroll = scroll.min(most_scroll(lines.len(), left.height.saturating_sub(1)));
    frame.render_widget(
        Paragraph::new(lines)
            .scroll((scroll, 0))
            .block(titled("Arrivals, newest first")),
        left,
    );
    today(frame, model, right);
    frame.render_widget(
        Paragraph::new(devices).block(titled("Relays and doors")),
        lower,
    );
    scroll
}

fn event_line(event: &EventRow, model: &Model) -> Line<'static> {
    let local = model.standing.days.local(event.at);
    let time = match event.day == model.today {
        true => local.format("%H:%M:%S").to_string(),
        false => local.format("%m-%d %H:%M").to_string(),
    };
    let style = match &event.what {
        What::Flash(_) if event.hasty.is_some() => alarm().add_modifier(Modifier::BOLD),
        What::Flash(Verdict::Open) if event.delivered => Style::new().fg(Color::Green),
        What::Flash(Verdict::Open) => dim(),
        What::Flash(Verdict::DontOpen(_)) => Style::new().fg(Color::Red),
        What::Door(kind) if kind.is_alarm() => alarm().add_modifier(Modifier::BOLD),
        What::Door(_) => dim(),
    };
    let door = event.door.as_deref().unwrap_or("(unknown door)");
    Line::from(vec![
        Span::styled(time, dim()),
        Span::raw(format!("  {}  ", one_line(door))),
        Span::styled(what(event), style),
    ])
}

fn today(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let (there, missing) = (model.arrived.len(), model.missing.len());
    let title = match model.calendar.off(None, model.today) {
        Some(Off::Weekly) => format!("Today: {there} there, a weekly off"),
        Some(Off::Holiday(name)) => format!("Today: {there} there, {}", one_line(name)),
        None => format!("Today: {there} of {} there", there + missing),
    };
    let mut text = Text::default();
    if missing > 0 {
        text.push_line(Line::styled(format!("missing ({missing})"), alarm()));
        text.push_line(names(model.missing.iter().map(String::as_str)));
    }
    if there > 0 {
        let green = Style::new().fg(Color::Green);
        text.push_line(Line::styled(format!("there ({there})"), green));
        for (first, name) in model.arrived.iter().rev() {
            let time = model.standing.days.local(*first).format("%H:%M");
            text.push_line(Line::raw(format!("{time}  {}", one_line(name))));
        }
    }
    let paragraph = Paragraph::new(text).wrap(Wrap { trim: true });
    frame.render_widget(paragraph.block(titled(&title)), area);
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Line<'static> {
    let names: Vec<_> = names.map(one_line).collect();
    Line::raw(names.join(", "))
}

fn device_lines(model: &Model) -> Vec<Line<'static>> {
    let standing = &model.standing;
    if standing.devices.is_empty() {
        return vec![Line::styled("none has connected yet", dim())];
    }
    // What is away comes first: there may be more than fit.
    let mut devices: Vec<_> = standing.devices.iter().collect();
    let is_well = |device: &Device| device.retired || standing.is_connected(device);
    devices.sort_by_key(|device| is_well(device));
    let line = |device: &&Device| {
        let kind = match device.kind {
            DeviceKind::Door => "door ",
            DeviceKind::Relay => "relay",
        };
        let style = match is_well(device) {
            true => Style::new(),
            false => alarm(),
        };
        let through = device
            .relay
            .as_ref()
            .map(|relay| format!(" at {}", one_line(relay)));
        Line::from(vec![
            Span::styled(format!("{kind}  "), dim()),
            Span::raw(format!(
                "{}{}  ",
                one_line(&device.name),
                through.unwrap_or_default()
            )),
            Span::styled(standing.describe(device), style),
            Span::raw(standing.kept(device)),
        ])
    };
    devices.iter().map(line).collect()
}

fn titled(title: &str) -> Block<'static> {
    Block::new()
        .borders(Borders::TOP)
        .title(format!(" {title} "))
}

fn most_scroll(lines: usize, height: u16) -> u16 {
    u16::try_from(lines.saturating_sub(height.into())).unwrap_or(u16::MAX)
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn alarm() -> Style {
    Style::new().fg(Color::Yellow)
}
