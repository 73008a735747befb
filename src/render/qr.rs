//! Text as a picture for a camera, in a terminal.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use qrcode::types::QrError;

/// A QR code of half-height blocks. With `colour` it is dark on light on any terminal, without it
/// on those with light text on a dark ground.
///
/// # Errors
/// If the text is too long, at some 2,900 bytes.
pub fn qr(text: &str, colour: bool) -> Result<String, QrError> {
    let code = QrCode::new(text)?;
    let mut render = code.render::<Dense1x2>();
    if colour {
        let lines = render.build();
        let lines = lines
            .lines()
            .map(|line| format!("\x1b[30;47m{line}\x1b[0m"));
        return Ok(lines.collect::<Vec<_>>().join("\n"));
    }
    // The blocks are light, and so stand for what is not dark.
    let render = render
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark);
    Ok(render.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_as_wide_as_its_lines_and_has_a_margin() {
        for colour in [false, true] {
            let picture = qr("otpauth://totp/twinkle:Asha?secret=ABC", colour).unwrap();
            let plain = picture.replace("\x1b[30;47m", "").replace("\x1b[0m", "");
            let widths: Vec<_> = plain.lines().map(|line| line.chars().count()).collect();
            assert!(widths.len() > 15 && widths.iter().all(|width| *width == widths[0]));
            let margin = if colour { ' ' } else { '█' };
            assert!(plain.lines().next().unwrap().chars().all(|c| c == margin));
        }
        assert!(qr(&"x".repeat(3000), false).is_err());
    }
}
