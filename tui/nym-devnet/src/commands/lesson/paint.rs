//! How a lesson looks in a plain terminal, or as JSON lines.

use std::io::{self, Write as _};

use control::visible;
use lessons::{Before, Lesson, Show};
use tutor::Learnt;

use super::drive::Audience;
use super::remember::Memory;
use crate::output::{Output, Tone};
use crate::stop::Outcome;

/// Lines are no longer than this: what is read easily, and fits everywhere.
const WIDTH: usize = 78;

/// What stands before commands.
const INDENT: &str = "    ";

/// Shows a lesson to whoever learns, and remembers that it has begun.
pub(super) struct Painter<'a> {
    output: Output,
    devnet: &'a str,
    lesson: &'a Lesson,
    memory: Memory,
    /// Somebody types.
    asks: bool,
    /// A line on the terminal is drawn over by the next one.
    open: bool,
    prompt: String,
    /// The commands of the task that was given last.
    task: Vec<String>,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        output: Output,
        devnet: &'a str,
        lesson: &'a Lesson,
        memory: Memory,
        asks: bool,
    ) -> Self {
        let (prompt, task) = (String::new(), Vec::new());
        Self { output, devnet, lesson, memory, asks, open: false, prompt, task }
    }

    fn line(&mut self, text: &str) -> Outcome {
        self.close()?;
        Output::text_line(text)
    }

    /// Ends a line that would be drawn over.
    fn close(&mut self) -> Outcome {
        if std::mem::take(&mut self.open) {
            let mut stdout = io::stdout();
            stdout.write_all(b"\r\x1b[K")?;
        }
        Ok(())
    }

    fn paragraphs(&mut self, text: &str) -> Outcome {
        for paragraph in text.split("\n\n") {
            self.line("")?;
            for line in wrapped(&visible(paragraph), WIDTH) {
                self.line(&line)?;
            }
        }
        Ok(())
    }

    fn commands(&mut self, commands: &[String]) -> Outcome {
        for command in commands {
            self.line(&format!("{INDENT}{}", visible(command)))?;
        }
        Ok(())
    }

    fn text(&mut self, show: &Show) -> Outcome {
        match show {
            Show::Title { number, title, minutes, about } => {
                let number = if *number == 0 { String::new() } else { format!("{number}. ") };
                let title = format!("{number}{} ({minutes} minutes)", visible(title));
                let heading = self.output.heading(&title);
                self.line(&heading)?;
                self.paragraphs(about)
            }
            Show::Doing { commands, restores } => {
                let (words, names_them) = Show::doing(commands, *restores, &self.task);
                self.line("")?;
                self.line(words)?;
                if names_them { self.commands(commands) } else { Ok(()) }
            }
            Show::Text { text, .. } => {
                self.prompt = "[Enter] goes on, q leaves ".into();
                self.paragraphs(text)
            }
            Show::Question { text, choices, unit, has_hint } => {
                let hint = if *has_hint { " (? for a hint)" } else { "" };
                self.prompt = match unit.as_str() {
                    "" => format!("your answer{hint} "),
                    unit => format!("your answer in {}{hint} ", visible(unit)),
                };
                self.paragraphs(text)?;
                for (number, choice) in (1..).zip(choices) {
                    self.line(&format!("{INDENT}{number}  {}", visible(choice)))?;
                }
                Ok(())
            }
            Show::Judged { said, right, answer, because } => {
                let (tone, words) = if *right {
                    (Tone::Good, format!("Right: {}.", visible(answer)))
                } else {
                    (Tone::Doubtful, format!("Not {}: it is {}.", visible(said), visible(answer)))
                };
                let words = self.output.toned(tone, &words);
                self.line("")?;
                self.line(&words)?;
                self.paragraphs(because)
            }
            Show::Unclear { expected } => {
                self.line(&format!("That is no answer; expected {expected}."))
            }
            Show::Task { text, commands } => {
                self.prompt = "type it in another terminal, or [Enter] to let it be done ".into();
                self.task.clone_from(commands);
                self.paragraphs(text)?;
                self.line("")?;
                self.commands(commands)
            }
            Show::Waiting { text, limit_s } => {
                self.line("")?;
                self.line(&format!("Watch for this, {limit_s:.0} s at most:"))?;
                self.paragraphs(text)
            }
            Show::Meanwhile { text, left_s } => {
                if !self.asks {
                    return Ok(());
                }
                self.close()?;
                let line = format!("{INDENT}{}, {left_s:.0} s left", visible(text));
                let line: String = line.chars().take(WIDTH).collect();
                let mut stdout = io::stdout();
                stdout.write_all(line.as_bytes())?;
                self.open = true;
                Ok(stdout.flush()?)
            }
            Show::Reached { took_s } => {
                let words =
                    self.output.toned(Tone::Good, &format!("There it is, after {took_s:.1} s."));
                self.line(&words)
            }
            Show::Clearing { messages, limit_s } => {
                self.line("")?;
                self.line(&Show::clearing(*messages, *limit_s))
            }
            Show::Late { what } => {
                self.prompt = "[Enter] waits again, q leaves ".into();
                let words = self.output.toned(Tone::Doubtful, "Not yet:");
                self.line(&words)?;
                self.paragraphs(what)
            }
            Show::Hint { text } => {
                let text = text.as_deref().unwrap_or("There is no hint for this.");
                self.paragraphs(text)
            }
            Show::Failed { why } => {
                let words = self.output.toned(Tone::Bad, &visible(why));
                self.line(&words)
            }
        }
    }
}

impl Audience for Painter<'_> {
    fn show(&mut self, show: &Show) -> Outcome {
        if self.output.is_json() {
            return Output::json_event("lesson-step", self.devnet, show);
        }
        self.text(show)
    }

    fn begins(&mut self, before: &Before) {
        let (lesson, devnet) = (self.lesson.slug.clone(), self.devnet.to_owned());
        self.memory.add(&Learnt::Began { lesson, devnet, before: before.clone() });
    }

    fn prompts(&mut self) -> Outcome {
        if !self.asks || self.output.is_json() {
            return Ok(());
        }
        self.close()?;
        let prompt = self.output.toned(Tone::Quiet, &self.prompt);
        let mut stdout = io::stdout();
        stdout.write_all(prompt.as_bytes())?;
        Ok(stdout.flush()?)
    }
}

/// The text in lines of at most so many characters; a longer word has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable word", 5), ["unbreakable", "word"]);
        assert!(wrapped("", 5).is_empty());
    }
}
