//! Named points at which a run may be killed on request, so that tests can show that nothing is lost there.
//!
//! `GARRISON_KILL_AT=17` kills the process at the 17th point it passes, as `kill -9` would; `GARRISON_KILL_AT=0` kills
//! nothing and writes every point passed to standard error. Without the variable a point costs one comparison.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

static KILL_AT: LazyLock<Option<u64>> =
    LazyLock::new(|| std::env::var("GARRISON_KILL_AT").ok()?.parse().ok());
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Passes a point, or dies there.
pub fn point(name: &str) {
    let Some(kill_at) = *KILL_AT else {
        return;
    };
    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if kill_at == 0 || kill_at == number {
        eprintln!("kill point {number}: {name}");
    }
    if kill_at == number {
        // A process may always signal itself; should it fail, the test that asked for it sees that the run lives on.
        let _ = kill_process(getpid(), Signal::KILL);
    }
}
