//! The legend of a sheet: boxes with the marks and totals, and its two colours.

use rust_xlsxwriter::{Format, FormatAlign, Worksheet, XlsxError};

use crate::domain::attendance::Mark;
use crate::render::one_line;
use crate::render::register::chart::Chart;
use crate::render::register::xlsx::{BLUE, Layout, RED, bordered};

/// The width of a box in columns, and where the right ones begin, from the first day on.
const BOX: u16 = 4;
const WIDE_BOX: u16 = 6;
const RIGHT: u16 = 6;

/// Writes it; returns its last row.
pub(super) fn write(
    sheet: &mut Worksheet,
    mut row: u32,
    chart: &Chart<'_>,
    layout: &Layout<'_>,
) -> Result<u32, XlsxError> {
    let words = &chart.sheet.words;
    let cells = || {
        chart
            .lines
            .iter()
            .flat_map(|line| line.cells.iter().flatten())
    };
    let used = |mark: Mark| cells().any(|drawn| drawn.cell.mark == mark);
    let marks = [
        Mark::Present,
        Mark::Absent,
        Mark::AbsentSoFar,
        Mark::HalfDay,
        Mark::Leave,
    ];
    let shown = marks
        .into_iter()
        .filter(|&mark| matches!(mark, Mark::Present | Mark::Absent) || used(mark));
    let left = shown.map(|mark| format!("{}: {}", mark.symbol(), capital(words.of(mark))));
    let mut right = vec![
        format!("WO: {}", capital(&words.work_off)),
        format!("TD: {}", capital(&words.total_days)),
    ];
    if cells().any(|drawn| drawn.cell.corrected) {
        right.push("*: Corrected".to_owned());
    }
    let left: Vec<_> = left.collect();
    let border = bordered().set_font_size(11);
    for number in 0..left.len().max(right.len()) {
        if let Some(text) = left.get(number) {
            sheet.merge_range(row, layout.days, row, layout.days + BOX - 1, text, &border)?;
        }
        if let Some(text) = right.get(number) {
            let from = layout.days + RIGHT;
            sheet.merge_range(row, from, row, from + BOX, text, &border)?;
        }
        row += 1;
    }
    row += 1;
    let red = match words.red.is_empty() {
        true => chart.weekly_off.clone(),
        false => words.red.clone(),
    };
    let (from, to) = (layout.days, layout.days + BOX);
    colour(sheet, row, from, to.max(from + 1), RED, &red, &border)?;
    let from = layout.days + RIGHT;
    colour(
        sheet,
        row,
        from,
        from + WIDE_BOX,
        BLUE,
        &words.blue,
        &border,
    )?;
    Ok(row + 1)
}

fn colour(
    sheet: &mut Worksheet,
    row: u32,
    from: u16,
    to: u16,
    colour: u32,
    word: &str,
    border: &Format,
) -> Result<(), XlsxError> {
    sheet.write_blank(row, from, &border.clone().set_background_color(colour))?;
    let text = format!(": {}", capital(word));
    let left = border.clone().set_align(FormatAlign::Left);
    sheet.merge_range(row, from + 1, row, to, &text, &left)?;
    Ok(())
}

/// A word as it begins a line.
fn capital(word: &str) -> String {
    let word = one_line(word);
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
