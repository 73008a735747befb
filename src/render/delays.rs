//! Delays as a picture: how they are spread, and the usual and the worst over time.

use std::io;

use plotters::prelude::*;

use crate::domain::calendar::Days;
use crate::domain::delays::{Figures, Overview};

/// The picture's size, in pixels: each of its two parts has half the height.
const SIZE: (u32, u32) = (1000, 800);

/// An SVG picture.
///
/// # Errors
/// If it cannot be drawn.
pub fn picture(title: &str, overview: &Overview, days: Days) -> io::Result<String> {
    let mut svg = String::new();
    draw(&mut svg, title, overview, days).map_err(|cause| io::Error::other(cause.to_string()))?;
    Ok(svg)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(svg: &mut String, title: &str, overview: &Overview, days: Days) -> Drawn {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let flashes = overview.all.map_or(0, |all| all.count);
    let area = area.titled(&format!("{title}: {flashes} flashes"), ("sans-serif", 24))?;
    let (above, below) = area.split_vertically(SIZE.1 / 2);
    spread(&above, overview)?;
    over_time(&below, overview, days)?;
    area.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// How many flashes took how long: both axes by powers of ten, as few are slow, and very slow.
fn spread(area: &Area<'_>, overview: &Overview) -> Drawn {
    let bounds: Vec<_> = overview.spread.iter().map(|(us, _)| ms(*us)).collect();
    let (Some(&first), Some(&last)) = (bounds.first(), bounds.last()) else {
        return Ok(());
    };
    let most = overview.spread.iter().map(|(_, count)| *count).max();
    let most = most.unwrap_or(1).max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(40)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (first / 2.0..last).log_scale(),
            (0.8..most * 1.2).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("ms from arrival at the relay to the answer")
        .y_desc("flashes")
        .x_label_formatter(&|ms| short(*ms))
        .y_label_formatter(&|count| short(*count))
        .draw()?;
    let begins = std::iter::once(first / 2.0).chain(bounds.iter().copied());
    let bars = begins.zip(&bounds).zip(&overview.spread);
    chart.draw_series(bars.filter(|(_, (_, count))| *count > 0).map(
        |((begin, end), (_, count))| {
            Rectangle::new(
                [(begin, 0.8), (*end, *count as f64)],
                BLUE.mix(0.6).filled(),
            )
        },
    ))?;
    Ok(())
}

/// The median and the worst of each part of the time.
fn over_time(area: &Area<'_>, overview: &Overview, days: Days) -> Drawn {
    let (Some((first, _)), Some((last, _))) =
        (overview.over_time.first(), overview.over_time.last())
    else {
        return Ok(());
    };
    let all = overview.over_time.iter().map(|(_, figures)| figures);
    let least = all
        .clone()
        .map(|figures| figures.p50)
        .min()
        .unwrap_or(1)
        .max(1);
    let most = all.map(|figures| figures.most).max().unwrap_or(1).max(1);
    let span = first.timestamp()..(*last + overview.slot).timestamp();
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(40)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(span, (ms(least) / 2.0..ms(most) * 2.0).log_scale())?;
    let time = |at: &i64| {
        let instant = chrono::DateTime::from_timestamp(*at, 0).unwrap_or_default();
        days.local(instant).format("%d %b %H:%M").to_string()
    };
    chart
        .configure_mesh()
        .y_desc("ms")
        .x_labels(8)
        .x_label_formatter(&time)
        .y_label_formatter(&|ms| short(*ms))
        .draw()?;
    let lines = [("max", RED), ("p99", MAGENTA), ("p50", BLUE)];
    for (name, colour) in lines {
        let of = |figures: &Figures| match name {
            "max" => figures.most,
            "p99" => figures.p99,
            _ => figures.p50,
        };
        let points = overview.over_time.iter();
        let points = points.map(|(at, figures)| (at.timestamp(), ms(of(figures).max(1))));
        let line = LineSeries::new(points, colour.stroke_width(2)).point_size(2);
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}

fn ms(us: u32) -> f64 {
    f64::from(us) / 1e3
}

/// A number without more digits than it needs.
fn short(number: f64) -> String {
    match number {
        ..1.0 => format!("{number:.3}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        _ => format!("{number:.0}"),
    }
}
