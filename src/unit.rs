//! The driver of every pass: threads, progress, skipping of finished work and stopping live here and nowhere else.
//!
//! A pass is the same work over many pieces of input. A few pieces are in hand at a time (as many as the memory
//! of the plan allows), and within each piece the work is spread over all threads.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

/// How a run shows what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressMode {
    /// Bars on a terminal, lines elsewhere.
    Auto,
    /// A bar per pass.
    Bar,
    /// A plain line every few seconds.
    Lines,
    /// The same as messages of the log.
    Log,
    /// Nothing.
    None,
}

/// The run was asked to stop.
#[derive(Debug)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("interrupted; the tables of the last finished run stand unchanged")
    }
}

impl std::error::Error for Interrupted {}

/// What one pass took, for the report.
#[derive(Debug, Clone, Serialize)]
pub struct PassTime {
    /// Name of the pass.
    pub pass: String,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Units whose result was kept by an earlier run.
    pub reused: u64,
    /// Units worked on.
    pub worked: u64,
    /// Processor time of the whole process during the pass, in seconds; `None` where the system does not tell.
    pub cpu_seconds: Option<f64>,
}

/// Drives passes over pieces of input.
pub struct Driver {
    lanes: usize,
    mode: ProgressMode,
    stop: &'static AtomicBool,
    times: Mutex<Vec<PassTime>>,
}

/// Memory a piece of 64 MB takes while it is in hand: its text, its rows and the columns being compressed.
const LANE_BYTES: u64 = 192 << 20;
const LINE_EVERY: Duration = Duration::from_secs(3);
/// A unit of 64 MB takes seconds to read and under a minute to extract; one that takes longer is named.
const SLOW_AFTER: Duration = Duration::from_secs(120);
const WATCH_EVERY: Duration = Duration::from_secs(1);

impl Driver {
    /// A driver for a run that may take `memory_bytes`; setting `stop` ends it at the next batch.
    pub fn new(memory_bytes: u64, mode: ProgressMode, stop: &'static AtomicBool) -> Self {
        let lanes = ((memory_bytes / 2) / LANE_BYTES).clamp(1, rayon::current_num_threads() as u64) as usize;
        let mode = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Lines,
            chosen => chosen,
        };
        Self {
            lanes,
            mode,
            stop,
            times: Mutex::new(Vec::new()),
        }
    }

    /// Finds what is kept of every piece, does `work` for those of which nothing is, and gives the results in the
    /// order of the pieces. `name` gives a piece's name and its size in bytes.
    ///
    /// # Errors
    /// The first error of `find` or `work`, or [`Interrupted`].
    pub fn each_unit<U: Sync, T: Send>(
        &self,
        pass: &str,
        units: &[U],
        name: impl Fn(&U) -> (String, u64) + Sync,
        find: impl Fn(&U) -> Result<Option<T>> + Sync,
        work: impl Fn(&U, &Meter) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let found: Vec<Option<T>> = units.par_iter().map(&find).collect::<Result<_>>()?;
        let todo: Vec<usize> = (0..units.len()).filter(|index| found[*index].is_none()).collect();
        let bytes = todo.iter().map(|index| name(&units[*index]).1).sum();
        let mut meter = Meter::new(pass, self.mode, bytes, self.stop);
        (meter.reused, meter.worked) = ((units.len() - todo.len()) as u64, todo.len() as u64);
        let next = AtomicUsize::new(0);
        let lane = |_| -> Result<Vec<(usize, T)>> {
            let mut done = Vec::new();
            loop {
                let Some(&index) = todo.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    return Ok(done);
                };
                meter.check()?;
                let unit = &units[index];
                let _in_hand = meter.take(name(unit).0);
                done.push((index, work(unit, &meter)?));
            }
        };
        let lanes: Result<Vec<_>> = std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                meter.watch(SLOW_AFTER, |unit, seconds| {
                    tracing::warn!(pass = meter.pass, unit, seconds, "a unit takes long");
                })
            });
            let lanes = (0..self.lanes.min(todo.len()))
                .into_par_iter()
                .map(lane)
                .collect();
            meter.end_watch(watch.thread());
            lanes
        });
        let kept = found
            .into_iter()
            .enumerate()
            .filter_map(|(index, result)| Some((index, result?)));
        let mut results: Vec<(usize, T)> = kept.chain(lanes?.into_iter().flatten()).collect();
        meter.check()?;
        self.finish(&meter);
        results.sort_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// Does the work of a barrier, which sees everything at once.
    ///
    /// # Errors
    /// The error of `work`, or [`Interrupted`].
    pub fn barrier<T>(&self, pass: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let meter = Meter::new(pass, self.mode, 0, self.stop);
        meter.check()?;
        let result = work()?;
        self.finish(&meter);
        Ok(result)
    }

    /// What each pass took so far.
    pub fn times(&self) -> Vec<PassTime> {
        self.times.lock().map(|times| times.clone()).unwrap_or_default()
    }

    fn finish(&self, meter: &Meter) {
        meter.bar.finish_and_clear();
        let seconds = meter.started.elapsed().as_secs_f64();
        match self.mode {
            ProgressMode::Lines => eprintln!("{}: done in {seconds:.1} s", meter.pass),
            ProgressMode::Log => {
                let (pass, worked, reused) = (&*meter.pass, meter.worked, meter.reused);
                tracing::info!(pass, seconds, worked, reused, "pass done");
            }
            _ => {}
        }
        let cpu_seconds = Option::zip(process_cpu_seconds(), meter.cpu_started).map(|(now, then)| now - then);
        if let Ok(mut times) = self.times.lock() {
            times.push(PassTime {
                pass: meter.pass.clone(),
                seconds,
                reused: meter.reused,
                worked: meter.worked,
                cpu_seconds,
            });
        }
    }
}

/// Counts what a pass has done, shows it, and says when to stop.
pub struct Meter {
    pass: String,
    mode: ProgressMode,
    bar: ProgressBar,
    total: u64,
    done: AtomicU64,
    records: AtomicU64,
    started: Instant,
    cpu_started: Option<f64>,
    last_line: Mutex<Instant>,
    stop: &'static AtomicBool,
    reused: u64,
    worked: u64,
    in_hand: Mutex<Vec<(Instant, String)>>,
    ended: AtomicBool,
}

/// A unit in hand; dropped when it is done.
struct InHand<'m> {
    meter: &'m Meter,
    name: String,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Ok(mut in_hand) = self.meter.in_hand.lock() {
            in_hand.retain(|(_, name)| *name != self.name);
        }
    }
}

impl Meter {
    fn new(pass: &str, mode: ProgressMode, total: u64, stop: &'static AtomicBool) -> Self {
        let bar = match mode {
            ProgressMode::Bar => ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            _ => ProgressBar::hidden(),
        };
        let template = match total {
            0 => "{prefix:>10} {spinner} {elapsed}",
            _ => "{prefix:>10} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(pass.to_owned());
        let now = Instant::now();
        Self {
            pass: pass.to_owned(),
            mode,
            bar,
            total,
            done: AtomicU64::new(0),
            records: AtomicU64::new(0),
            started: now,
            cpu_started: process_cpu_seconds(),
            last_line: Mutex::new(now),
            stop,
            reused: 0,
            worked: 0,
            in_hand: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    fn take(&self, name: String) -> InHand<'_> {
        if let Ok(mut in_hand) = self.in_hand.lock() {
            in_hand.push((Instant::now(), name.clone()));
        }
        InHand { meter: self, name }
    }

    /// Names every unit that is in hand for longer than `slow_after`, and again each time that has doubled.
    fn watch(&self, slow_after: Duration, mut tell: impl FnMut(&str, u64)) {
        let mut named: HashMap<String, Duration> = HashMap::new();
        while !self.ended.load(Ordering::Relaxed) {
            std::thread::park_timeout(slow_after.min(WATCH_EVERY));
            let in_hand = self.in_hand.lock().map(|units| units.clone()).unwrap_or_default();
            for (since, unit) in in_hand {
                let due = named.entry(unit.clone()).or_insert(slow_after);
                if since.elapsed() > *due {
                    *due *= 2;
                    tell(&unit, since.elapsed().as_secs());
                }
            }
        }
    }

    fn end_watch(&self, watcher: &std::thread::Thread) {
        self.ended.store(true, Ordering::Relaxed);
        watcher.unpark();
    }

    /// Notes that so many bytes of input and records are done.
    pub fn advance(&self, bytes: u64, records: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let records = self.records.fetch_add(records, Ordering::Relaxed) + records;
        self.bar.set_position(done.min(self.total));
        self.bar.set_message(format!("{records} records"));
        if matches!(self.mode, ProgressMode::Lines | ProgressMode::Log)
            && let Ok(mut last) = self.last_line.try_lock()
            && last.elapsed() > LINE_EVERY
        {
            *last = Instant::now();
            if self.mode == ProgressMode::Log {
                let (pass, total) = (&*self.pass, self.total);
                tracing::info!(pass, done, total, records, "pass under way");
                return;
            }
            let rest = self.total.saturating_sub(done) as f64 / done.max(1) as f64;
            let eta = HumanDuration(self.started.elapsed().mul_f64(rest));
            let (done, total) = (HumanBytes(done), HumanBytes(self.total));
            eprintln!(
                "{}: {done} of {total}, {records} records, about {eta} left",
                self.pass
            );
        }
    }

    /// Whether the run was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// [`Interrupted`] if the run was asked to stop.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self) -> Result<()> {
        if self.is_stopped() {
            bail!(Interrupted);
        }
        Ok(())
    }
}

/// User and system time of this process so far, in seconds, where the system keeps it in `/proc`.
fn process_cpu_seconds() -> Option<f64> {
    // Linux counts in hundredths of a second, whatever the kernel's own tick (proc(5), USER_HZ).
    const TICKS_PER_SECOND: f64 = 100.0;
    let line = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// Most memory this process has held so far, in bytes, where the system keeps it in `/proc`.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    static RUNNING: AtomicBool = AtomicBool::new(false);
    static STOPPED: AtomicBool = AtomicBool::new(true);

    #[test]
    fn results_keep_the_order_of_the_units() {
        let driver = Driver::new(1 << 40, ProgressMode::None, &RUNNING);
        let units: Vec<u64> = (0..100).collect();
        let doubled = driver
            .each_unit(
                "double",
                &units,
                |_| (String::new(), 1),
                |_| Ok(None),
                |unit, _| Ok(unit * 2),
            )
            .unwrap();
        assert_eq!(doubled, units.iter().map(|unit| unit * 2).collect::<Vec<_>>());
        assert_eq!(driver.times()[0].pass, "double");
    }

    #[test]
    fn a_unit_that_takes_long_is_named_until_it_is_done() {
        let meter = Meter::new("read", ProgressMode::None, 0, &RUNNING);
        let in_hand = meter.take("a.jsonl and 3 more".to_owned());
        drop(meter.take("b.jsonl".to_owned()));
        let mut told = Vec::new();
        meter.watch(Duration::from_millis(1), |unit, _| {
            told.push(unit.to_owned());
            meter.ended.store(told.len() == 2, Ordering::Relaxed);
        });
        drop(in_hand);
        assert_eq!(told, ["a.jsonl and 3 more"; 2]);
        assert!(meter.in_hand.lock().unwrap().is_empty());
    }

    #[test]
    fn finished_units_are_not_worked_on_again() {
        let driver = Driver::new(1 << 40, ProgressMode::None, &RUNNING);
        let find = |unit: &u64| Ok((*unit < 7).then_some(*unit));
        let done = driver
            .each_unit("some", &[3, 9, 5, 8], |_| (String::new(), 1), find, |_, _| Ok(0))
            .unwrap();
        assert_eq!(done, [3, 0, 5, 0]);
        assert_eq!((driver.times()[0].reused, driver.times()[0].worked), (2, 2));
    }

    #[test]
    fn a_stopped_run_says_so() {
        let driver = Driver::new(1 << 40, ProgressMode::None, &STOPPED);
        let error = driver
            .each_unit(
                "double",
                &[1],
                |_| (String::new(), 1),
                |_| Ok(None),
                |_, _| Ok(()),
            )
            .unwrap_err();
        assert!(error.is::<Interrupted>());
    }
}
