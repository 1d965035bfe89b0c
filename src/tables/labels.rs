//! The closed vocabularies of the tables, each a plain enum whose words stand once.

use anyhow::{Result, bail};
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::cell::{Value, dictionary_type, words_from_array, words_to_array};

macro_rules! labels {
    ($($(#[doc = $about:expr])+ $label:ident { $($(#[doc = $text:expr])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum $label { $($(#[doc = $text])* $variant,)+ }

        impl $label {
            /// Every word of the vocabulary, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that stands in the table.
            pub fn as_str(self) -> &'static str {
                Self::WORDS[self as usize]
            }

            /// The label a word stands for.
            ///
            /// # Errors
            /// The word is not of this vocabulary; the message lists those that are.
            pub fn parse(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => bail!("`{word}` is not one of {}", Self::WORDS.join(", ")),
                }
            }
        }

        impl Default for $label {
            /// The first word of the vocabulary.
            fn default() -> Self {
                [$(Self::$variant),+][0]
            }
        }

        impl Value for $label {
            const WORDS: &'static [&'static str] = Self::WORDS;
            fn arrow_type() -> DataType {
                dictionary_type()
            }
            fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
                words_to_array(&mut values.map(|label| label.map(|label| label.as_str())))
            }
            fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
                words_from_array(array, Self::parse)
            }
        }

        impl std::fmt::Display for $label {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl serde::Serialize for $label {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $label {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&word).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

labels! {
    /// How exact a point in time is.
    StampPrecision { Second = "second", Minute = "minute", Day = "day", Month = "month", }

    /// Where a publication date was found.
    PublishedBasis {
        Field = "field", JsonLd = "json_ld", Meta = "meta", Url = "url", Feed = "feed", TimeTag = "time_tag",
    }

    /// How a document relates to the canonical document of its cluster.
    Relation {
        /// No other document is like it.
        Unique = "unique",
        /// It represents its cluster.
        Canonical = "canonical",
        /// The same text, but for case, quotes, dashes and spaces.
        Exact = "exact",
        /// A copy with small changes.
        Near = "near",
        /// The same story told anew or corrected.
        Revision = "revision",
        /// A part of the canonical document.
        Excerpt = "excerpt",
        /// It holds the canonical document and more.
        Container = "container",
        /// A form filled in with other figures: never a copy.
        Template = "template",
        /// A digest of several documents that have nothing else in common.
        Composite = "composite",
    }

    /// Why a record was not kept.
    RejectReason {
        InvalidJson = "invalid_json", NoText = "no_text", Truncated = "truncated",
        BadCompression = "bad_compression", BadRecord = "bad_record", Oversize = "oversize",
        Unreadable = "unreadable", UnknownFormat = "unknown_format", NotAnArticle = "not_an_article",
        TooShort = "too_short", Repeated = "repeated",
        Bomb = "bomb",
    }

    /// What kind of actor or thing a mention names.
    ActorKind {
        Unknown = "unknown", Government = "government", Military = "military", ArmedGroup = "armed_group",
        International = "international", Organization = "organization", Person = "person",
        Population = "population", Media = "media", Place = "place",
    }

    /// What kind of force is named.
    ForceKind {
        Troops = "troops", Base = "base", Trainers = "trainers", Mercenaries = "mercenaries",
        Peacekeepers = "peacekeepers", Coalition = "coalition", Police = "police", Advisers = "advisers",
        Aircraft = "aircraft", Navy = "navy", Equipment = "equipment",
    }

    /// The event types of PLOVER as POLECAT uses them.
    EventType {
        Agree = "AGREE", Consult = "CONSULT", Support = "SUPPORT", Concede = "CONCEDE",
        Cooperate = "COOPERATE", Aid = "AID", Retreat = "RETREAT", Request = "REQUEST", Accuse = "ACCUSE",
        Reject = "REJECT", Threaten = "THREATEN", Protest = "PROTEST", Sanction = "SANCTION",
        Mobilize = "MOBILIZE", Coerce = "COERCE", Assault = "ASSAULT",
    }

    /// The four classes the event types fall into.
    Quad {
        VerbalCooperation = "verbal_cooperation", MaterialCooperation = "material_cooperation",
        VerbalConflict = "verbal_conflict", MaterialConflict = "material_conflict",
    }

    /// How exact a place is.
    PlacePrecision { Country = "country", Region = "region", City = "city", Point = "point", }

    /// How exact an event's date is.
    DatePrecision {
        Day = "day", Week = "week", Month = "month", Season = "season", Year = "year", Range = "range",
        Before = "before", After = "after",
    }

    /// What an event's date rests on.
    DateBasis { Explicit = "explicit", Relative = "relative", Publication = "publication", }

    /// How far an event has got.
    Status {
        Unknown = "unknown", Announced = "announced", Agreed = "agreed", Scheduled = "scheduled",
        Ongoing = "ongoing", Completed = "completed", Suspended = "suspended", Cancelled = "cancelled",
        Denied = "denied",
    }

    /// Whether the text asserts an event.
    Modality {
        Asserted = "asserted", Planned = "planned", Hypothetical = "hypothetical", Negated = "negated",
        Requested = "requested", Background = "background",
    }

    /// Who holds a stance.
    HolderKind {
        Narrator = "narrator", Government = "government", Military = "military", Opposition = "opposition",
        Public = "public", CivilSociety = "civil_society", ArmedGroup = "armed_group",
        International = "international", Media = "media", Person = "person",
    }

    /// A stance as a word.
    StanceLabel { Neutral = "neutral", Negative = "negative", Positive = "positive", }

    /// What a stance shows in.
    StanceBasis {
        Narrator = "narrator", Quote = "quote", Statement = "statement", Action = "action",
        Protest = "protest", Survey = "survey",
    }

    /// What became of a row from one run to the next.
    ChangeKind { Added = "added", Changed = "changed", Withdrawn = "withdrawn", Merged = "merged", }

    /// Why a row is not what it was in the last run.
    ChangeReason {
        /// The input it came from is new.
        NewInput = "new_input",
        /// The input it came from is gone.
        InputGone = "input_gone",
        /// Its document has turned out to be a copy.
        Copy = "copy",
        /// Its document is no longer taken for a copy.
        NoCopy = "no_copy",
        /// Other documents came, went or changed, and with them what it is compared or linked with.
        Neighbours = "neighbours",
        Plan = "plan", Knowledge = "knowledge", Program = "program",
    }

    /// What a share is a share of.
    SurveyBase { All = "all", Subset = "subset", }

    /// How a share is told.
    ShareKind {
        Exact = "exact", Approximate = "approximate", LowerBound = "lower_bound",
        UpperBound = "upper_bound", Range = "range",
    }
}
