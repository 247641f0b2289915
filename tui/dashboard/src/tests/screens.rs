//! Snapshots of every screen.
use super::*;
use ratatui::style::{Color, Modifier};
fn ansi(buffer: &Buffer) -> String {
    let w = usize::from(buffer.area.width);
    let mut out = String::new();
    for row in buffer.content.chunks(w) {
        for cell in row {
            out.push_str("\x1b[0");
            let code = |c: Color, base: u8| match c {
                Color::Reset => None,
                Color::Black => Some(base),
                Color::Red => Some(base + 1),
                Color::Green => Some(base + 2),
                Color::Yellow => Some(base + 3),
                Color::Blue => Some(base + 4),
                Color::Magenta => Some(base + 5),
                Color::Cyan => Some(base + 6),
                Color::Gray => Some(base + 7),
                Color::DarkGray => Some(base + 60),
                Color::LightBlue => Some(base + 64),
                _ => Some(base + 67),
            };
            if let Some(c) = code(cell.fg, 30) {
                out.push_str(&format!(";{c}"));
            }
            if let Some(c) = code(cell.bg, 40) {
                out.push_str(&format!(";{c}"));
            }
            for (m, c) in [
                (Modifier::BOLD, 1),
                (Modifier::DIM, 2),
                (Modifier::UNDERLINED, 4),
                (Modifier::REVERSED, 7),
            ] {
                if cell.modifier.contains(m) {
                    out.push_str(&format!(";{c}"));
                }
            }
            out.push('m');
            out.push_str(cell.symbol());
        }
        out.push('\n');
    }
    out
}
#[test]
fn look() {
    let mut desk = Desk::running();
    desk.model.selected = Some("mix-2-2".into());
    for (w, h) in [(80, 24), (120, 40), (200, 60)] {
        std::fs::write(format!("/tmp/dash/net-{w}.ansi"), ansi(&desk.screen(w, h))).unwrap();
    }
}
