//! The tables, each defined once.
//!
//! One documented block per table gives the row type, the Arrow schema (a column's doc comment becomes the
//! field's metadata `description`), `batch`, `rows` and the printed data dictionary. A column exists here or
//! nowhere. How a cell type becomes an Arrow array is in `cell`; the closed vocabularies are in `labels`.

mod cell;
mod dictionary;
mod labels;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;

pub use cell::{Cell, Code};
pub use dictionary::{TABLES, columns_of, names, print};
pub use labels::*;

/// A row type: what [`define_table!`] gives every table.
pub trait Row: Sized + Send + Sync + 'static {
    /// The table's name, which is also the stem of its file.
    const TABLE: &'static str;
    /// What one row of the table is.
    const ABOUT: &'static str;
    /// Name, type and description of every column, in order.
    fn columns() -> Vec<Column>;
    /// Rows to one record batch of [`schema`]'s shape; the columns stand in the order of the struct's fields.
    fn batch(rows: &[Self]) -> Result<RecordBatch>;
    /// The reverse of [`Row::batch`]; columns are found by name, so further columns do no harm.
    ///
    /// # Errors
    /// Names the table and the column that is missing or has another type.
    fn rows(batch: &RecordBatch) -> Result<Vec<Self>>;
    /// Names the run whose tables the row stands in.
    fn set_run_id(&mut self, run_id: &str);
}

/// One column of a table, as the data dictionary shows it.
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// The Arrow field, without its description.
    pub field: Field,
    /// What the column holds, from its doc comment.
    pub description: String,
    /// The values of a closed vocabulary, empty for an open one.
    pub values: &'static [&'static str],
}

/// The Arrow schema of a table, descriptions in the fields' metadata.
pub fn schema<R: Row>() -> SchemaRef {
    let fields = R::columns().into_iter().map(|column| {
        let about = HashMap::from([("description".to_owned(), column.description)]);
        column.field.with_metadata(about)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn column_cells<C: Cell>(batch: &RecordBatch, table: &str, name: &str) -> Result<Vec<C>> {
    let array: &ArrayRef = batch
        .column_by_name(name)
        .with_context(|| format!("table {table} has no column {name}"))?;
    C::decode(array).with_context(|| format!("table {table}, column {name}"))
}

/// Defines a table: row struct, schema, batch, rows and documentation from one block.
macro_rules! define_table {
    ($(#[doc = $about:expr])+ $table:literal $row:ident { $($(#[doc = $text:expr])+ $name:ident: $cell:ty,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $row { $($(#[doc = $text])+ pub $name: $cell,)+ }

        impl Row for $row {
            const TABLE: &'static str = $table;
            const ABOUT: &'static str = concat!($($about),+);

            fn columns() -> Vec<Column> {
                vec![$(Column {
                    name: stringify!($name),
                    field: Field::new(stringify!($name), <$cell as Cell>::data_type(), <$cell as Cell>::NULLABLE),
                    description: concat!($($text),+).trim().to_owned(),
                    values: <$cell as Cell>::VALUES,
                }),+]
            }

            fn batch(rows: &[Self]) -> Result<RecordBatch> {
                let columns: Vec<ArrayRef> = vec![$(<$cell as Cell>::encode(&mut rows.iter().map(|row| &row.$name))),+];
                Ok(RecordBatch::try_new(schema::<Self>(), columns)?)
            }

            fn rows(batch: &RecordBatch) -> Result<Vec<Self>> {
                $(let mut $name = column_cells::<$cell>(batch, $table, stringify!($name))?.into_iter();)+
                let mut rows = Vec::with_capacity(batch.num_rows());
                for _ in 0..batch.num_rows() {
                    rows.push(Self { $($name: $name.next().unwrap_or_default()),+ });
                }
                Ok(rows)
            }

            fn set_run_id(&mut self, run_id: &str) {
                run_id.clone_into(&mut self.run_id);
            }
        }
    };
}

define_table! {
    /// One row per article read.
    "documents" Document {
        /// Identity of the article: a hash of its text, title, address and date, `d_` and 26 characters.
        document_id: String,
        /// Address of the article: the canonical one where the page names it.
        url: Option<String>,
        /// Publisher: the name the record gives, else the host of the address.
        source: Option<String>,
        /// Headline, without the site's name.
        title: Option<String>,
        /// Title of the page as it stands, where it differs from the headline.
        page_title: Option<String>,
        /// Authors, cleaned to names, separated by a comma and a space.
        byline: Option<String>,
        /// When the article says it was published; never guessed from its text.
        published_at: Option<Timestamp>,
        /// How exact `published_at` is.
        published_precision: Option<StampPrecision>,
        /// Where `published_at` was found.
        published_basis: Option<PublishedBasis>,
        /// When the article says it was last changed.
        modified_at: Option<Timestamp>,
        /// When a crawler or an archive saw the article; never taken for a publication date.
        seen_at: Option<Timestamp>,
        /// Language of the text as a BCP 47 tag; `und` if unsure.
        language: Code,
        /// Confidence of `language`, 0 to 1.
        language_confidence: f32,
        /// The article's text after normalization; every byte range of other tables points into it.
        text: String,
        /// Words in the text.
        word_count: i32,
        /// Sentences, headings and list items in the text.
        sentence_count: i32,
        /// Place of a wire dateline at the head of the text, as written.
        dateline_place: Option<String>,
        /// Agency of a wire dateline at the head of the text.
        dateline_agency: Option<String>,
        /// Hash of the text in its matching view (case, quotes, dashes and spaces unified): equal for exact copies.
        content_hash: String,
        /// What normalization changed, separated by commas.
        repairs: Option<String>,
        /// The file the article came from, as the plan names it.
        input_path: String,
        /// Number of the record in that file, from 0.
        input_record: i64,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One row per document: whether it is a copy, of what, and how.
    "duplicates" Duplicate {
        /// The document.
        document_id: String,
        /// The cluster of near-identical documents it belongs to: `c_` and the smallest document id in it.
        cluster_id: String,
        /// The document the cluster is represented by, or, for an excerpt, the one it was taken from.
        canonical_id: String,
        /// How the document relates to the canonical one.
        relation: Relation,
        /// Jaccard similarity to the canonical document over word 3-grams, 0 to 1.
        jaccard: Option<f32>,
        /// Share of this document found in the canonical one, 0 to 1.
        containment: Option<f32>,
        /// Share of the canonical document found in this one, 0 to 1.
        contained: Option<f32>,
        /// Hours from the canonical document's publication to this one's.
        hours_after_canonical: Option<f64>,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One row per record that was read and not kept.
    "rejects" Reject {
        /// The file the record came from.
        input_path: String,
        /// Number of the record in that file, from 0; null where the file itself is at fault, or what lies between records.
        input_record: Option<i64>,
        /// Where the record begins in the (decompressed) file, in bytes.
        byte_offset: Option<i64>,
        /// Why it was not kept.
        reason: RejectReason,
        /// What exactly was found.
        detail: String,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// Actors, forces and places found in text.
    "mentions" Mention {
        /// Identity of the mention, `m_` and 26 characters.
        mention_id: String,
        /// The document it stands in.
        document_id: String,
        /// Number of the sentence in the document, from 0.
        sentence_index: i32,
        /// Start of the mention in the document's text, in bytes.
        start_byte: i64,
        /// End of the mention in the document's text, in bytes, exclusive.
        end_byte: i64,
        /// The mention as written.
        text: String,
        /// What kind of thing is named.
        kind: ActorKind,
        /// The actor, force or place in `knowledge/` that is named.
        actor_id: Option<String>,
        /// Its plain name.
        actor_name: Option<String>,
        /// Country of the actor or place, ISO 3166-1 alpha-3, or the code of an organization.
        country: Option<Code>,
        /// Office through which the actor acts.
        office: Option<String>,
        /// Whether a military force is named.
        is_force: bool,
        /// The state or organization that fields the force.
        force_home: Option<Code>,
        /// What kind of force it is.
        force_kind: Option<ForceKind>,
        /// Whether the force is outside its home.
        is_foreign: Option<bool>,
        /// The country the force is in, comes to or leaves.
        host_country: Option<Code>,
        /// Confidence, 0 to 1.
        confidence: f32,
        /// What found the mention.
        rule: String,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// Who did what to whom, when and where, once per telling.
    "events" Event {
        /// Identity of the event row, `e_` and 26 characters.
        event_id: String,
        /// The happening this row tells of, see `incidents`.
        incident_id: Option<String>,
        /// The document it was read in.
        document_id: String,
        /// Number of the sentence in the document, from 0.
        sentence_index: i32,
        /// Start of the evidence in the document's text, in bytes.
        start_byte: i64,
        /// End of the evidence in the document's text, in bytes, exclusive.
        end_byte: i64,
        /// The words the row rests on.
        evidence: String,
        /// Start of the predicate, in bytes.
        trigger_start_byte: i64,
        /// End of the predicate, in bytes, exclusive.
        trigger_end_byte: i64,
        /// PLOVER root; null for accidents that befall a force, which PLOVER does not code.
        event_type: Option<EventType>,
        /// PLOVER mode within the type.
        event_mode: Option<Code>,
        /// PLOVER context, such as military or diplomatic.
        event_context: Option<Code>,
        /// CAMEO code as a string, leading zeros kept.
        cameo_code: Option<Code>,
        /// Quad class; null where `event_type` is null.
        quad: Option<Quad>,
        /// Goldstein-like intensity of the type, -10 to 10.
        intensity: Option<f32>,
        /// What happens to a foreign force; null where none is involved.
        force_event: Option<Code>,
        /// Who acts, as written.
        source_name: Option<String>,
        /// The acting actor in `knowledge/`.
        source_actor_id: Option<String>,
        /// Country of the acting actor.
        source_country: Option<Code>,
        /// Kind of the acting actor.
        source_kind: Option<ActorKind>,
        /// Start of the acting actor's mention, in bytes.
        source_start_byte: Option<i64>,
        /// End of the acting actor's mention, in bytes, exclusive.
        source_end_byte: Option<i64>,
        /// Who is acted upon, as written.
        target_name: Option<String>,
        /// The actor acted upon in `knowledge/`.
        target_actor_id: Option<String>,
        /// Country of the actor acted upon.
        target_country: Option<Code>,
        /// Kind of the actor acted upon.
        target_kind: Option<ActorKind>,
        /// Start of the mention of the actor acted upon, in bytes.
        target_start_byte: Option<i64>,
        /// End of the mention of the actor acted upon, in bytes, exclusive.
        target_end_byte: Option<i64>,
        /// The state or organization that fields the force concerned.
        force_home: Option<Code>,
        /// Kind of the force concerned.
        force_kind: Option<ForceKind>,
        /// The force as written.
        force_name: Option<String>,
        /// The country the force is in, comes to or leaves.
        host_country: Option<Code>,
        /// Place of the event as written.
        place_name: Option<String>,
        /// Country of the place.
        place_country: Option<Code>,
        /// Latitude of the place, degrees north.
        latitude: Option<f64>,
        /// Longitude of the place, degrees east.
        longitude: Option<f64>,
        /// How exact the place is.
        place_precision: Option<PlacePrecision>,
        /// First day of the event or of the span it lies in.
        starts_on: Option<Date>,
        /// Last day of the event or of the span it lies in.
        ends_on: Option<Date>,
        /// How exact the date is.
        date_precision: Option<DatePrecision>,
        /// The words that give the date.
        date_text: Option<String>,
        /// What the date rests on.
        date_basis: Option<DateBasis>,
        /// How far the event has got.
        status: Status,
        /// Whether the text asserts the event.
        modality: Modality,
        /// Who says so.
        reported_by: Option<String>,
        /// Least number of troops told.
        troops_min: Option<i64>,
        /// Greatest number of troops told.
        troops_max: Option<i64>,
        /// Whether the number of troops is approximate.
        troops_approximate: Option<bool>,
        /// People killed.
        killed: Option<i64>,
        /// People wounded.
        wounded: Option<i64>,
        /// Confidence, 0 to 1.
        confidence: f32,
        /// The rule or model that made the row.
        rule: String,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One row per happening, however many articles tell it.
    "incidents" Incident {
        /// Identity of the incident, `i_` and 26 characters.
        incident_id: String,
        /// PLOVER root of the happening.
        event_type: Option<EventType>,
        /// PLOVER mode within the type.
        event_mode: Option<Code>,
        /// What happens to a foreign force.
        force_event: Option<Code>,
        /// Country of the acting actor.
        source_country: Option<Code>,
        /// Country of the actor acted upon.
        target_country: Option<Code>,
        /// The state or organization that fields the force concerned.
        force_home: Option<Code>,
        /// Kind of the force concerned.
        force_kind: Option<ForceKind>,
        /// The country the force is in, comes to or leaves.
        host_country: Option<Code>,
        /// The most exact place told.
        place_name: Option<String>,
        /// Country of the place.
        place_country: Option<Code>,
        /// Latitude of the place, degrees north.
        latitude: Option<f64>,
        /// Longitude of the place, degrees east.
        longitude: Option<f64>,
        /// First day of the narrowest date told.
        starts_on: Option<Date>,
        /// Last day of the narrowest date told.
        ends_on: Option<Date>,
        /// How exact the date is.
        date_precision: Option<DatePrecision>,
        /// The latest status told.
        status: Status,
        /// Articles that tell the happening, copies not counted.
        documents: i32,
        /// Independent publishers among them.
        sources: i32,
        /// Event rows that tell it.
        mentions: i32,
        /// When it was first told.
        first_published_at: Option<Timestamp>,
        /// When it was last told.
        last_published_at: Option<Timestamp>,
        /// The event row that tells it best.
        representative_event_id: String,
        /// The words of that row.
        evidence: String,
        /// Confidence, 0 to 1.
        confidence: f32,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One holder's stance toward one foreign force in one span of text.
    "sentiment" Sentiment {
        /// Identity of the row, `s_` and 26 characters.
        sentiment_id: String,
        /// The document it was read in.
        document_id: String,
        /// Number of the sentence in the document, from 0.
        sentence_index: i32,
        /// Start of the evidence in the document's text, in bytes.
        start_byte: i64,
        /// End of the evidence in the document's text, in bytes, exclusive.
        end_byte: i64,
        /// The words the row rests on.
        evidence: String,
        /// Who holds the stance, as written.
        holder_name: Option<String>,
        /// The holder in `knowledge/`.
        holder_actor_id: Option<String>,
        /// Country of the holder.
        holder_country: Option<Code>,
        /// Kind of holder.
        holder_kind: HolderKind,
        /// Who reports it, outermost first, separated by ` > `.
        source_chain: Option<String>,
        /// The state or organization that fields the force.
        force_home: Option<Code>,
        /// Kind of the force.
        force_kind: Option<ForceKind>,
        /// The force as written.
        force_name: Option<String>,
        /// Start of the force's mention, in bytes.
        force_start_byte: i64,
        /// End of the force's mention, in bytes, exclusive.
        force_end_byte: i64,
        /// The country the force is in, comes to or leaves.
        host_country: Option<Code>,
        /// Polarity, -1 (against) to 1 (for).
        polarity: f32,
        /// Polarity as a word.
        label: StanceLabel,
        /// Strength, 0 (neutral) to 3 (strong).
        intensity: i32,
        /// What the stance shows in.
        basis: StanceBasis,
        /// Whether the stance is hedged.
        hedged: bool,
        /// Whether a negation turned the polarity.
        negated: bool,
        /// Whether the force is the holder's own.
        is_owner: bool,
        /// The event row it rests on.
        event_id: Option<String>,
        /// The survey row it rests on.
        survey_id: Option<String>,
        /// The day the stance was expressed.
        stated_on: Option<Date>,
        /// Confidence, 0 to 1.
        confidence: f32,
        /// The rule or model that made the row.
        rule: String,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// Stances by month: one row per home of a force, host, kind of holder and month.
    "stance_monthly" StanceMonthly {
        /// The state or organization that fields the force.
        force_home: Option<Code>,
        /// The country the force is in, comes to or leaves.
        host_country: Option<Code>,
        /// Kind of holder.
        holder_kind: HolderKind,
        /// First day of the month in which the stances were expressed.
        month: Option<Date>,
        /// Rows of `sentiment`.
        rows: i64,
        /// Articles they were read in.
        articles: i64,
        /// Incidents they rest on.
        incidents: i64,
        /// What is counted: holders, each once for an incident or, without one, for an article.
        n: i64,
        /// Mean polarity over what is counted, -1 to 1.
        polarity_mean: f64,
        /// Share of what is counted that is against the force, 0 to 1.
        share_negative: f64,
        /// Least share in a 95 percent interval after Wilson.
        share_negative_low: f64,
        /// Greatest share in that interval.
        share_negative_high: f64,
        /// The run that made the row.
        run_id: String,
    }
}

define_table! {
    /// One row per reported share of a survey about a foreign force.
    "surveys" Survey {
        /// Identity of the row, `v_` and 26 characters.
        survey_id: String,
        /// The rows of one question share this.
        finding_group_id: String,
        /// The document it was read in.
        document_id: String,
        /// Number of the sentence in the document, from 0.
        sentence_index: i32,
        /// Start of the evidence in the document's text, in bytes.
        start_byte: i64,
        /// End of the evidence in the document's text, in bytes, exclusive.
        end_byte: i64,
        /// The words the row rests on.
        evidence: String,
        /// Who was asked, as written.
        population: String,
        /// Country of those asked.
        population_country: Option<Code>,
        /// The part of them the share is about, such as women or a town.
        subgroup: Option<String>,
        /// What the share is a share of: all who were asked, or those who gave another answer.
        base: SurveyBase,
        /// What the question was about.
        question_topic: Option<String>,
        /// The answer.
        response: String,
        /// Whether the answer is against (-1) or for (1) the force.
        response_polarity: i32,
        /// The state or organization that fields the force.
        force_home: Option<Code>,
        /// Kind of the force.
        force_kind: Option<ForceKind>,
        /// The force as written.
        force_name: Option<String>,
        /// The country the force is in, comes to or leaves.
        host_country: Option<Code>,
        /// Least share, percent.
        share_low: f64,
        /// Greatest share, percent.
        share_high: f64,
        /// How the share is told.
        share_kind: ShareKind,
        /// The share as written.
        share_text: String,
        /// An earlier share it is compared with, percent.
        prior_share: Option<f64>,
        /// Year of the earlier share.
        prior_year: Option<i32>,
        /// Who asked.
        pollster: Option<String>,
        /// Who paid.
        sponsor: Option<String>,
        /// First day of asking.
        fieldwork_from: Option<Date>,
        /// Last day of asking.
        fieldwork_to: Option<Date>,
        /// Number of people asked.
        sample_size: Option<i64>,
        /// Margin of error, percentage points.
        margin: Option<f64>,
        /// Confidence, 0 to 1.
        confidence: f32,
        /// The rule that made the row.
        rule: String,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One row per row in which this run's tables differ from the last run's; none in the first run.
    "changes" Change {
        /// The table.
        table_name: Code,
        /// Identity of the row: the table's first column; of a reject, a hash of its content.
        row_id: String,
        /// What became of the row.
        change: ChangeKind,
        /// The row that now holds what this one told; set where `change` is `merged`.
        merged_into: Option<String>,
        /// Why.
        reason: ChangeReason,
        /// The run that the row was the same in, or not yet in.
        prior_run_id: String,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One row per document given to extraction, between the passes. It is not published.
    "extractions" Extraction {
        /// The document.
        document_id: String,
        /// When it was published.
        published_at: Option<Timestamp>,
        /// The publisher.
        source: Option<String>,
        /// Sentences in it.
        sentences: i32,
        /// Sentences parsed.
        parsed: i32,
        /// Events it tells of.
        events: i32,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// Where a document stands in the input: some columns of `documents`.
    "documents" Place {
        /// The document.
        document_id: String,
        /// Language of the text.
        language: Code,
        /// The file the article came from.
        input_path: String,
        /// Number of the record in that file, from 0.
        input_record: i64,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// How a document stands to others: some columns of `duplicates`.
    "duplicates" Standing {
        /// The document.
        document_id: String,
        /// How the document relates to the canonical one.
        relation: Relation,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// Which incident an event belongs to: some columns of `events`.
    "events" Link {
        /// The event.
        event_id: String,
        /// The incident.
        incident_id: Option<String>,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// How long a document is: some columns of `sketches`.
    "sketches" Length {
        /// The document.
        document_id: String,
        /// Length of the text, bytes.
        text_bytes: i64,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

define_table! {
    /// One row per document between the passes: what duplicates are found by. It is not published.
    "sketches" SketchRow {
        /// The document.
        document_id: String,
        /// Hash of its matching view, 16 bytes.
        exact: Vec<u8>,
        /// Sampled shingle hashes, ascending, 8 bytes each.
        hashes: Vec<u8>,
        /// Sampling of the hashes: one in 2^scale was kept.
        scale: i32,
        /// Words, or characters of scripts without spaces.
        words: i64,
        /// Length of the text, bytes.
        text_bytes: i64,
        /// When it was published.
        published_at: Option<Timestamp>,
        /// Hashes of its figures, 4 bytes each.
        figures: Vec<u8>,
        /// Hashes of its names, 4 bytes each.
        names: Vec<u8>,
        /// The run whose tables the row stands in.
        run_id: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documented<R: Row>() {
        assert!(!R::ABOUT.trim().is_empty());
        let columns = R::columns();
        for column in &columns {
            assert!(column.description.ends_with('.'), "{}.{}", R::TABLE, column.name);
        }
        let mut names: Vec<_> = columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), columns.len(), "{}", R::TABLE);
        assert!(names.contains(&"run_id"), "{}", R::TABLE);
    }

    #[test]
    fn every_column_is_documented_once() {
        documented::<Document>();
        documented::<Duplicate>();
        documented::<Reject>();
        documented::<Mention>();
        documented::<Event>();
        documented::<Incident>();
        documented::<Sentiment>();
        documented::<Survey>();
        documented::<Change>();
    }

    fn round_trip<R: Row + Clone + PartialEq + std::fmt::Debug>(rows: &[R]) {
        let batch = R::batch(rows).unwrap();
        assert_eq!(R::rows(&batch).unwrap(), rows);
    }

    #[test]
    fn rows_survive_the_way_through_arrow() {
        let document = Document {
            document_id: "d_1".into(),
            published_at: Some("2024-05-19T10:11:12Z".parse().unwrap()),
            published_precision: Some(StampPrecision::Second),
            language: Code::new("en"),
            text: "Troops left.".into(),
            ..Document::default()
        };
        round_trip(&[document, Document::default()]);
        let event = Event {
            event_type: Some(EventType::Retreat),
            starts_on: Some("2024-05-19".parse().unwrap()),
            latitude: Some(13.5),
            troops_min: Some(1_000),
            troops_approximate: Some(true),
            cameo_code: Some(Code::new("0874")),
            ..Event::default()
        };
        round_trip(&[Event::default(), event]);
        round_trip::<Survey>(&[]);
    }

    #[test]
    fn a_missing_column_is_named() {
        let batch = Duplicate::batch(&[Duplicate::default()]).unwrap();
        let error = format!("{:#}", Document::rows(&batch).unwrap_err());
        assert_eq!(error, "table documents has no column url");
    }
}
