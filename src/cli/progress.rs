//! Progress bars on a terminal. They go to the terminal itself, past the writer of the call:
//! a bar is no output, and is gone when its stage ends.

use crate::domain::Progress;
use crate::domain::texts::Catalogue;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

const BAR: &str = "{msg} {wide_bar} {percent:>3}%";
const SPIN: &str = "{spinner} {msg}";
/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// One bar at a time.
pub(super) struct Bars {
    texts: Catalogue,
    bar: Option<ProgressBar>,
}

impl Bars {
    pub(super) fn new(texts: Catalogue) -> Self {
        Self { texts, bar: None }
    }
}

impl Progress for Bars {
    fn begin(&mut self, stage: &str, total: Option<u64>) {
        self.end();
        let key = format!("stage.{stage}");
        let name =
            if self.texts.has(&key) { self.texts.label(&key).to_owned() } else { stage.to_owned() };
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let style = if total.is_some() { BAR } else { SPIN };
        // The templates are ours; should one be wrong, the default style still shows something.
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(name);
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
    }

    fn advance(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(done);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.end();
    }
}
