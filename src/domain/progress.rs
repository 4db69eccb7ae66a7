//! Progress of a long piece of work, told to whoever watches. Only `cli` shows it.

/// Told by the spine where it is; stages follow each other and do not nest.
pub trait Progress: Send {
    /// A stage begins (`law`, `intake`, `facts` …); `total` is the amount of work, when known.
    fn begin(&mut self, stage: &str, total: Option<u64>);
    /// So much more of the stage is done.
    fn advance(&mut self, done: u64);
    /// The stage has ended.
    fn end(&mut self);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _stage: &str, _total: Option<u64>) {}
    fn advance(&mut self, _done: u64) {}
    fn end(&mut self) {}
}
