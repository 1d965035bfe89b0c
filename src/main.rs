//! The command line: what is asked for, and which exit code answers.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use garrison::knowledge::Knowledge;
use garrison::plan::{Faults, Overrides};
use garrison::unit::{Driver, Interrupted, ProgressMode};
use garrison::{check, evaluate, explain, knowledge, output, pipeline, plan, report, tables};

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
max_rejects allows; 6 another run holds the output; 130 interrupted.";

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run a pipeline: read its input, write its tables.
    Run(RunArgs),
    /// Read one article and show what is found in it.
    Extract(ExtractArgs),
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
    match act(cli.command) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("garrison: {error:#}");
            exit_code(&error)
        }
    }
}

/// The exit code an error ends with.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Faults>() || error.is::<check::Faulty>() {
        ExitCode::from(2)
    } else if error.is::<output::Locked>() {
        ExitCode::from(6)
    } else if error.is::<Interrupted>() {
        ExitCode::from(130)
    } else {
        ExitCode::FAILURE
    }
}

/// Whoever reads standard output, such as `head`, may close it early.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn start_log(format: LogFormat) {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("GARRISON_LOG").unwrap_or_else(|_| "warn".into());
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter);
    match format {
        LogFormat::Text => log.with_ansi(std::env::var_os("NO_COLOR").is_none()).init(),
        LogFormat::Json => log.json().init(),
    }
}

fn act(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run(arguments) => run(arguments),
        Command::Extract(arguments) => {
            let knowledge = load(arguments.knowledge)?;
            let date = arguments.date.as_deref().map(explain::parse_date).transpose()?;
            let page = explain::article(
                &arguments.file,
                date,
                arguments.format,
                arguments.show,
                &knowledge,
            )?;
            print(&page)
        }
        Command::Check(arguments) => print(&match (&arguments.pipeline, arguments.input.as_slice()) {
            (Some(pipeline), _) => check::pipeline(pipeline, &arguments.input)?,
            (None, []) => check::knowledge(knowledge::Source::from(arguments.knowledge))?,
            (None, inputs) => check::inputs(inputs)?,
        }),
        Command::Tables { name } => print(&tables::print(name.as_deref())?),
        Command::Evaluate(arguments) => {
            let knowledge = load(arguments.knowledge)?;
            let predictions = arguments.predictions.as_deref();
            print(&evaluate::run(
                arguments.task,
                &arguments.gold,
                predictions,
                arguments.raw,
                &knowledge,
            )?)
        }
        Command::Train(what) => train(what),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "garrison", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn load(folder: Option<PathBuf>) -> Result<Knowledge> {
    Ok(knowledge::load(folder.into()).map_err(check::Faulty)?)
}

fn train(what: Train) -> Result<ExitCode> {
    let (Train::Events(arguments) | Train::Names(arguments)) = &what;
    let knowledge = load(arguments.knowledge.clone())?;
    let language = knowledge
        .language(&arguments.language)
        .with_context(|| format!("the knowledge has no language `{}`", arguments.language))?;
    let TrainArgs { from, to, folds, .. } = arguments;
    print(&match what {
        Train::Events(_) => garrison::train::events::make(from, to, *folds, &knowledge, language)?,
        Train::Names(_) => garrison::train::names::make(from, to, &knowledge, language)?,
    })
}

fn print(page: &str) -> Result<ExitCode> {
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn run(arguments: RunArgs) -> Result<ExitCode> {
    let overrides = Overrides {
        input: arguments.input,
        output: arguments.output,
        threads: arguments.threads,
        memory: arguments.memory,
        knowledge: arguments.knowledge,
    };
    let plan = plan::read(&arguments.pipeline, &overrides)?;
    let knowledge = load(plan.knowledge.clone())?;
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed)).context("signals cannot be handled")?;
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .build()?;
    let report = threads.install(|| {
        let driver = Driver::new(plan.memory_bytes, arguments.progress, &STOP);
        pipeline::run(&plan, &knowledge, &driver, &run_id()?)
    })?;
    eprint!("{}", report::summary(&report, |code| knowledge.name_of(code)));
    let share = report.counts.rejected as f64 / report.counts.read.max(1) as f64;
    if share > plan.max_rejects {
        eprintln!(
            "garrison: {:.1} % of the records were rejected, the plan allows {:.1} %; see rejects.parquet",
            100.0 * share,
            100.0 * plan.max_rejects
        );
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

/// Names a run by its start in UTC and the process, so that runs sort by time and never share a name.
fn run_id() -> Result<String> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    Ok(format!("{now}-{}", std::process::id()))
}
