//! The command line: what is asked for, and which exit code answers.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use garrison::knowledge::Knowledge;
use garrison::plan::{Faults, Overrides, Plan};
use garrison::report::{Last, Outcome};
use garrison::unit::{Driver, Interrupted, ProgressMode};
use garrison::{
    changes, check, disk, evaluate, explain, forecast, knowledge, lineage, log, metrics, output, pipeline,
    plan, report, runs, tables, validate, why,
};

/// Small allocations of many threads dominate a run; the system's allocator serializes them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

static STOP: AtomicBool = AtomicBool::new(false);

/// Turns large collections of news into Parquet tables of political events and of sentiment toward foreign forces.
#[derive(Parser)]
#[command(version, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How messages of the program are written to standard error.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong usage or plan; 3 done, with more inputs rejected than \
max_rejects allows or with inputs that cannot be read; 4 the disk is full or too small; 5 nothing new, with --error-on-empty; 6 another run holds the output; 7 validate has found faults; 130 interrupted.";

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run a pipeline: read its input, write its tables.
    Run(RunArgs),
    /// Say what a run would do: files, units, time, disk.
    Plan(RunArgs),
    /// Check that the tables of an output folder keep what they promise.
    Validate {
        /// The output folder, or the folder of one run.
        output: PathBuf,
        /// Memory the check may take, such as 1GiB.
        #[arg(long, default_value = "1GiB", value_parser = plan::parse_bytes)]
        memory: u64,
    },
    /// List the runs whose tables an output folder holds.
    Runs {
        /// The output folder.
        output: PathBuf,
    },
    /// Show how the tables of two runs differ, and why.
    Diff(DiffArgs),
    /// Read one article and show what is found in it.
    Extract(ExtractArgs),
    /// Say why a row is as it is: of a document its cluster and what it shares with the canonical one, of an event, a
    /// stance or a share the sentence, who was read in it and the rule.
    Explain {
        /// The row's id, such as a document_id or an event_id.
        id: String,
        /// Folder of the tables.
        #[arg(long)]
        output: PathBuf,
        /// Folder with the knowledge of the run, where it was not what is built in.
        #[arg(long)]
        knowledge: Option<PathBuf>,
    },
    /// Check a pipeline, or an input, or the knowledge; every fault at once.
    Check(CheckArgs),
    /// Print the data dictionary: all tables, or one.
    Tables {
        /// The table.
        name: Option<String>,
    },
    /// Measure a part of the program on labelled data.
    Evaluate(EvaluateArgs),
    /// Learn a model from labelled text.
    #[command(subcommand)]
    Train(Train),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
struct RunArgs {
    /// The pipeline, such as pipelines/foreign_forces.toml.
    pipeline: PathBuf,
    /// Files, folders, patterns or `-` to read in place of the pipeline's input.
    #[arg(long)]
    input: Vec<String>,
    /// Folder for the tables in place of the pipeline's.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Worker threads; as many as there are cores if not given.
    #[arg(long)]
    threads: Option<usize>,
    /// Memory the run may take, such as 4GiB.
    #[arg(long)]
    memory: Option<String>,
    /// Folder with knowledge to use in place of what is built in.
    #[arg(long)]
    knowledge: Option<PathBuf>,
    /// How progress is shown.
    #[arg(long, value_enum, default_value = "auto")]
    progress: ProgressMode,
    /// End with exit code 5 if there is nothing new.
    #[arg(long)]
    error_on_empty: bool,
    /// Write what the run came to as Prometheus metrics.
    #[arg(long)]
    metrics_file: Option<PathBuf>,
    /// Append OpenLineage events to a file, one JSON object a line.
    #[arg(long)]
    lineage: Option<PathBuf>,
}

#[derive(Args)]
struct DiffArgs {
    /// The earlier run: its name, the beginning of its name, or its folder.
    run_a: String,
    /// The later run.
    run_b: String,
    /// The output folder that holds both.
    #[arg(long, default_value = ".")]
    output: PathBuf,
    /// Show every row that differs, with tabs between its columns.
    #[arg(long)]
    rows: bool,
    /// Memory the comparison may take, such as 1GiB.
    #[arg(long, default_value = "1GiB", value_parser = plan::parse_bytes)]
    memory: u64,
}

#[derive(Args)]
struct ExtractArgs {
    /// The article: text, HTML or a record of any input format; `-` is standard input.
    #[arg(default_value = "-")]
    file: String,
    /// Date of the article, such as 2024-05-19, against which relative dates resolve.
    #[arg(long)]
    date: Option<String>,
    /// How the findings are written.
    #[arg(long, value_enum, default_value = "text")]
    format: explain::Format,
    /// Show more of how the text was read.
    #[arg(long, value_enum)]
    show: Option<explain::Show>,
    /// Folder with knowledge to use in place of what is built in.
    #[arg(long)]
    knowledge: Option<PathBuf>,
}

#[derive(Args)]
struct CheckArgs {
    /// The pipeline to check; without it and without --input, the knowledge is checked.
    pipeline: Option<PathBuf>,
    /// Show how these inputs would be read: format, fields, coverage on a sample.
    #[arg(long)]
    input: Vec<String>,
    /// Folder with knowledge to check in place of what is built in.
    #[arg(long)]
    knowledge: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Train {
    /// The coder of events, from marked sentences.
    Events(TrainArgs),
    /// Sentiment toward a target, from sentences with a target and a label.
    Sentiment(TrainArgs),
    /// Who stands how toward which force, from sentences with stances.
    Stances(TrainArgs),
    /// The names of persons, places and organizations, from words with labels.
    Names(TrainArgs),
}

#[derive(Args)]
struct TrainArgs {
    /// Files or folders of labelled sentences.
    #[arg(required = true)]
    from: Vec<PathBuf>,
    /// The model file to write, such as knowledge/languages/en/events.model.
    #[arg(long)]
    to: PathBuf,
    /// The language of the sentences.
    #[arg(long, default_value = "en")]
    language: String,
    /// Cross-validate with so many parts and record the learning curve; 0 for neither.
    #[arg(long, default_value_t = 0)]
    folds: usize,
    /// Folder with knowledge to use in place of what is built in.
    #[arg(long)]
    knowledge: Option<PathBuf>,
}

#[derive(Args)]
struct EvaluateArgs {
    /// What is measured.
    #[arg(value_enum)]
    task: evaluate::Task,
    /// The labelled data.
    gold: PathBuf,
    /// Write one prediction per record of the gold.
    #[arg(long)]
    predictions: Option<PathBuf>,
    /// Folder with knowledge to use in place of what is built in.
    #[arg(long)]
    knowledge: Option<PathBuf>,
    /// For `parse`: from raw text with own tokens, in place of the gold's tokens.
    #[arg(long)]
    raw: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    let code = match act(&cli) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => DONE,
        Err(error) => {
            say(cli.log_format, &error);
            exit_code(&error)
        }
    };
    ExitCode::from(code)
}

const DONE: u8 = 0;
const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const PARTIAL: u8 = 3;
const DISK_FULL: u8 = 4;
const NOTHING_NEW: u8 = 5;
const LOCKED: u8 = 6;
const INVALID: u8 = 7;
/// 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

/// The exit code an error ends with.
fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Faults>() || error.is::<check::Faulty>() {
        WRONG_USAGE
    } else if error.is::<output::Locked>() {
        LOCKED
    } else if error.is::<validate::Invalid>() {
        INVALID
    } else if error.is::<Interrupted>() {
        INTERRUPTED
    } else if disk::is_full(error) {
        DISK_FULL
    } else {
        FAILED
    }
}

/// Tells an error as the log is written.
fn say(format: LogFormat, error: &anyhow::Error) {
    match format {
        LogFormat::Text => eprintln!("garrison: {error:#}"),
        LogFormat::Json => tracing::error!("{error:#}"),
    }
}

/// Whoever reads standard output, such as `head`, may close it early.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn start_log(format: LogFormat) {
    // Machines want to hear of every pass; people see the progress.
    let level = match format {
        LogFormat::Text => "warn",
        LogFormat::Json => "info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("GARRISON_LOG").unwrap_or_else(|_| level.into());
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter);
    match format {
        LogFormat::Text => log.with_ansi(std::env::var_os("NO_COLOR").is_none()).init(),
        LogFormat::Json => log.event_format(log::JsonLines).init(),
    }
}

fn act(cli: &Cli) -> Result<u8> {
    match &cli.command {
        Command::Run(arguments) => run(arguments, cli.log_format),
        Command::Plan(arguments) => {
            let (plan, knowledge) = prepare(arguments)?;
            let page = in_threads(&plan, || forecast::page(&plan, &knowledge))?;
            print(&page)
        }
        Command::Explain {
            id,
            output,
            knowledge,
        } => print(&why::explain(
            id,
            output,
            knowledge::Source::from(knowledge.clone()),
        )?),
        Command::Validate { output, memory } => print(&validate::output(output, *memory)?),
        Command::Runs { output } => print(&runs::list(output)?),
        Command::Diff(arguments) => {
            let run = |name: &str| runs::named(&arguments.output, name);
            let (old, new) = (run(&arguments.run_a)?, run(&arguments.run_b)?);
            print(&changes::page(&old, &new, arguments.memory, arguments.rows)?)
        }
        Command::Extract(arguments) => {
            let knowledge = load(arguments.knowledge.clone())?;
            let date = arguments.date.as_deref().map(explain::parse_date).transpose()?;
            let (file, format, show) = (&arguments.file, arguments.format, arguments.show);
            print(&explain::article(file, date, format, show, &knowledge)?)
        }
        Command::Check(arguments) => print(&match (&arguments.pipeline, arguments.input.as_slice()) {
            (Some(pipeline), _) => check::pipeline(pipeline, &arguments.input)?,
            (None, []) => check::knowledge(knowledge::Source::from(arguments.knowledge.clone()))?,
            (None, inputs) => check::inputs(inputs)?,
        }),
        Command::Tables { name } => print(&tables::print(name.as_deref())?),
        Command::Evaluate(arguments) => {
            let (task, gold, predictions) =
                (arguments.task, &arguments.gold, arguments.predictions.as_deref());
            print(&evaluate::run(task, gold, predictions, arguments.raw, || {
                load(arguments.knowledge.clone())
            })?)
        }
        Command::Train(what) => train(what),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "garrison", &mut std::io::stdout());
            Ok(DONE)
        }
    }
}

fn load(folder: Option<PathBuf>) -> Result<Knowledge> {
    Ok(knowledge::load(folder.into()).map_err(check::Faulty)?)
}

fn train(what: &Train) -> Result<u8> {
    let (Train::Events(arguments)
    | Train::Sentiment(arguments)
    | Train::Stances(arguments)
    | Train::Names(arguments)) = what;
    let knowledge = load(arguments.knowledge.clone())?;
    let language = knowledge
        .language(&arguments.language)
        .with_context(|| format!("the knowledge has no language `{}`", arguments.language))?;
    let TrainArgs { from, to, folds, .. } = arguments;
    print(&match what {
        Train::Events(_) => garrison::train::events::make(from, to, *folds, &knowledge, language)?,
        Train::Sentiment(_) => garrison::train::sentiment::make(from, to, &knowledge, language)?,
        Train::Stances(_) => garrison::train::stances::make(from, to, knowledge, &arguments.language)?,
        Train::Names(_) => garrison::train::names::make(from, to, &knowledge, language)?,
    })
}

fn print(page: &str) -> Result<u8> {
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(DONE)
}

/// Reads the plan and loads the knowledge it names.
fn prepare(arguments: &RunArgs) -> Result<(Plan, Knowledge)> {
    let overrides = Overrides {
        input: arguments.input.clone(),
        output: arguments.output.clone(),
        threads: arguments.threads,
        memory: arguments.memory.clone(),
        knowledge: arguments.knowledge.clone(),
    };
    let plan = plan::read(&arguments.pipeline, &overrides)?;
    let knowledge = load(plan.knowledge.clone())?;
    Ok((plan, knowledge))
}

/// Does work on as many threads as the plan says.
fn in_threads<T: Send>(plan: &Plan, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .build()?;
    threads.install(work)
}

/// Runs a pipeline, and tells of it wherever it was asked to.
fn run(arguments: &RunArgs, format: LogFormat) -> Result<u8> {
    let (plan, knowledge) = prepare(arguments)?;
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed)).context("signals cannot be handled")?;
    let (started, run_id) = (Instant::now(), run_id());
    if let Some(file) = &arguments.lineage {
        lineage::append(file, &plan, &run_id, lineage::Kind::Start)?;
    }
    let outcome = in_threads(&plan, || {
        let progress = match (arguments.progress, format) {
            (ProgressMode::Auto, LogFormat::Json) => ProgressMode::Log,
            (chosen, _) => chosen,
        };
        let driver = Driver::new(plan.memory_bytes, progress, &STOP);
        pipeline::run(&plan, &knowledge, &driver, &run_id)
    });
    let code = match &outcome {
        Ok(outcome) => tell(outcome, &plan, &knowledge, arguments.error_on_empty, format),
        Err(error) => exit_code(error),
    };
    let report = match &outcome {
        Ok(Outcome::Published(report)) => Some(&**report),
        _ => None,
    };
    if let Some(file) = &arguments.metrics_file {
        let (pipeline, seconds) = (plan.name.as_str(), started.elapsed().as_secs_f64());
        let end = metrics::End {
            pipeline,
            code,
            seconds,
            report,
        };
        metrics::write(file, end)?;
    }
    if let Some(file) = &arguments.lineage {
        let message = outcome
            .as_ref()
            .err()
            .map_or(String::new(), |error| format!("{error:#}"));
        let kind = match code {
            INTERRUPTED => lineage::Kind::Abort,
            _ if outcome.is_err() => lineage::Kind::Fail(&message),
            _ => lineage::Kind::Complete(report),
        };
        lineage::append(file, &plan, &run_id, kind)?;
    }
    outcome.map(|_| code)
}

/// Tells people and the log what a run came to, and gives its exit code.
fn tell(
    outcome: &Outcome,
    plan: &Plan,
    knowledge: &Knowledge,
    error_on_empty: bool,
    format: LogFormat,
) -> u8 {
    let last = match outcome {
        Outcome::Published(report) => {
            match format {
                LogFormat::Text => eprint!("{}", report::summary(report, |code| knowledge.name_of(code))),
                LogFormat::Json => tracing::info!(
                    run_id = report.run_id,
                    read = report.counts.read,
                    kept = report.counts.kept,
                    rejected = report.counts.rejected,
                    events = report.counts.events,
                    stances = report.counts.stances,
                    "published"
                ),
            }
            &Last::from(&**report)
        }
        Outcome::NothingNew(last) => {
            match format {
                LogFormat::Text => eprintln!("nothing new: the tables of run {} still stand", last.run_id),
                LogFormat::Json => tracing::info!(run_id = last.run_id, "nothing new"),
            }
            last
        }
    };
    let is_new = matches!(outcome, Outcome::Published(_));
    match faults_of(last, plan) {
        Some(faults) => {
            say(format, &anyhow::anyhow!("{faults}; see rejects.parquet"));
            PARTIAL
        }
        None if !is_new && error_on_empty => NOTHING_NEW,
        None => DONE,
    }
}

/// What keeps a run from being a full success.
fn faults_of(last: &Last, plan: &Plan) -> Option<String> {
    let share = last.rejected as f64 / last.read.max(1) as f64;
    if last.unreadable > 0 {
        return Some(format!("{} inputs cannot be read", last.unreadable));
    }
    (share > plan.max_rejects).then(|| {
        format!(
            "{:.1} % of the records were rejected, the plan allows {:.1} %",
            100.0 * share,
            100.0 * plan.max_rejects
        )
    })
}

/// Names a run by its start in UTC and the process, so that runs sort by time and never share a name.
fn run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ").to_string();
    format!("{now}-{}", std::process::id())
}
