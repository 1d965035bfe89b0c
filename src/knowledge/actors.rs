//! The tables under `knowledge/actors` and `knowledge/places`, row by row, and the entries they become.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::source::{Line, Reader, listed};
use crate::tables::{ActorKind, Code, ForceKind, PlacePrecision};

/// How a name stands for what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// The name of a country.
    Country,
    /// The adjective of a country.
    Adjective,
    /// The people of a country.
    Demonym,
    /// A capital, which also stands for the government in it.
    Capital,
    /// Another place that stands for a government.
    Metonym,
    /// An organization, mission or company.
    Organization,
    /// An armed force or operation by name.
    Force,
    /// An armed group.
    ArmedGroup,
    /// An institution or building that stands for who works in it.
    Office,
    /// A person.
    Person,
    /// A military base.
    Base,
    /// A place.
    Place,
}

/// A force that an entry names or fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Force {
    /// Who fields it.
    pub home: Option<Code>,
    /// What it is.
    pub kind: ForceKind,
    /// Countries it is or was in.
    pub hosts: Vec<Code>,
}

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// How exact the position is.
    pub precision: PlacePrecision,
}

/// One thing that knowledge knows by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// How its names stand for it.
    pub reading: Reading,
    /// Its key in its table.
    pub id: String,
    /// Its plain name.
    pub name: String,
    /// What kind of actor it is.
    pub kind: ActorKind,
    /// Its country or parent organization.
    pub country: Option<Code>,
    /// The office it acts through.
    pub office: Option<String>,
    /// The force it is.
    pub force: Option<Force>,
    /// Where it is.
    pub position: Option<Position>,
    /// First and last year in which the name stands for this, where bounded.
    pub years: (Option<i16>, Option<i16>),
    /// Rank among entries of the same name: the smaller, the more likely (population class of a place).
    pub rank: u8,
}

/// The surface names of an entry, and the entry.
pub(super) struct Named {
    pub names: Vec<String>,
    pub entry: Entry,
}

#[derive(Deserialize)]
struct CountryRow {
    iso3: String,
    name: String,
    #[serde(deserialize_with = "listed")]
    names_en: Vec<String>,
    #[serde(deserialize_with = "listed")]
    adjectives_en: Vec<String>,
    #[serde(deserialize_with = "listed")]
    demonyms_en: Vec<String>,
    capital: String,
    #[serde(deserialize_with = "listed")]
    metonyms: Vec<String>,
    latitude: f64,
    longitude: f64,
    region: String,
    part_of: String,
}

#[derive(Deserialize)]
struct OrganizationRow {
    code: String,
    name: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    kind: String,
    home: String,
    force_kind: Option<ForceKind>,
    #[serde(deserialize_with = "listed")]
    hosts: Vec<String>,
    from: Option<i16>,
    to: Option<i16>,
}

#[derive(Deserialize)]
struct ForceRow {
    id: String,
    name: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    home: String,
    kind: ForceKind,
    #[serde(deserialize_with = "listed")]
    hosts: Vec<String>,
    from: Option<i16>,
    to: Option<i16>,
}

#[derive(Deserialize)]
struct ArmedGroupRow {
    id: String,
    name: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    #[serde(deserialize_with = "listed")]
    countries: Vec<String>,
    from: Option<i16>,
    to: Option<i16>,
}

#[derive(Deserialize)]
struct OfficeRow {
    name: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    country: String,
    kind: String,
    office: String,
}

#[derive(Deserialize)]
struct PersonRow {
    name: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    country: String,
    kind: String,
    office: String,
    from: String,
    to: String,
}

#[derive(Deserialize)]
struct BaseRow {
    id: String,
    name: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    home: String,
    host: String,
    latitude: f64,
    longitude: f64,
    from: Option<i16>,
    to: Option<i16>,
}

#[derive(Deserialize)]
struct PlaceRow {
    name: String,
    country: String,
    #[serde(deserialize_with = "listed")]
    names: Vec<String>,
    kind: String,
    latitude: f64,
    longitude: f64,
    population_class: Option<u8>,
}

/// A country by its code.
#[derive(Debug, Clone, PartialEq)]
pub struct Country {
    /// ISO 3166-1 alpha-3, or a user-assigned code.
    pub code: Code,
    /// Its plain name.
    pub name: String,
    /// Where its middle is.
    pub position: Position,
    /// The part of the world it lies in, such as `West Africa`.
    pub region: String,
}

pub(super) struct Actors {
    pub countries: HashMap<Code, Country>,
    pub named: Vec<Named>,
}

/// Loads every table of actors and places.
pub(super) fn load(reader: &mut Reader) -> Actors {
    let mut actors = Actors {
        countries: HashMap::new(),
        named: Vec::new(),
    };
    countries(reader, &mut actors);
    let mut known: HashSet<String> = actors.countries.keys().map(ToString::to_string).collect();
    organizations(reader, &mut actors, &mut known);
    forces(reader, &mut actors, &known);
    armed_groups(reader, &mut actors, &known);
    offices(reader, &mut actors, &known);
    people(reader, &mut actors, &known);
    bases(reader, &mut actors, &known);
    places(reader, &mut actors, &known);
    actors
}

/// A code of a country or organization that must be known; several stand as the first one.
fn code(reader: &mut Reader, file: &str, line: u64, word: &str, known: &HashSet<String>) -> Option<Code> {
    let word = word.split('|').next().unwrap_or_default().trim();
    if word.is_empty() {
        return None;
    }
    if !known.contains(word) {
        let message = format!(
            "`{word}` is neither a country of countries.tsv nor an organization of organizations.tsv"
        );
        reader.fault(file, Some(line), message);
    }
    Some(Code::new(word))
}

fn codes(reader: &mut Reader, file: &str, line: u64, words: &[String], known: &HashSet<String>) -> Vec<Code> {
    words
        .iter()
        .filter_map(|word| code(reader, file, line, word, known))
        .collect()
}

fn position(
    reader: &mut Reader,
    file: &str,
    line: u64,
    at: (f64, f64),
    precision: PlacePrecision,
) -> Position {
    if !(-90.0..=90.0).contains(&at.0) || !(-180.0..=180.0).contains(&at.1) {
        reader.fault(
            file,
            Some(line),
            format!("{}, {} is no place on earth", at.0, at.1),
        );
    }
    Position {
        latitude: at.0,
        longitude: at.1,
        precision,
    }
}

fn all_names(name: &str, names: Vec<String>) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    all.extend(names);
    all.sort_unstable();
    all.dedup();
    all.retain(|name| !name.is_empty());
    all
}

fn entry(reading: Reading, id: &str, name: &str, kind: ActorKind, country: Option<Code>) -> Entry {
    Entry {
        reading,
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        country,
        office: None,
        force: None,
        position: None,
        years: (None, None),
        rank: 0,
    }
}

fn countries(reader: &mut Reader, actors: &mut Actors) {
    const FILE: &str = "actors/countries.tsv";
    for Line { number, row } in reader.table::<CountryRow>(FILE) {
        let code = Code::new(&row.iso3);
        let position = position(
            reader,
            FILE,
            number,
            (row.latitude, row.longitude),
            PlacePrecision::Country,
        );
        let country = Country {
            code: code.clone(),
            name: row.name.clone(),
            position,
            region: row.region,
        };
        if actors.countries.insert(code.clone(), country).is_some() {
            reader.fault(FILE, Some(number), format!("country `{}` stands twice", row.iso3));
        }
        // Who governs a breakaway region is an actor of its own in the state the world counts it to.
        let state = match row.part_of.as_str() {
            "" => code,
            state => Code::new(state),
        };
        let mut add = |reading, kind, names: Vec<String>| {
            let entry = Entry {
                position: Some(position),
                ..entry(reading, &row.iso3, &row.name, kind, Some(state.clone()))
            };
            actors.named.push(Named { names, entry });
        };
        add(
            Reading::Country,
            ActorKind::Government,
            all_names(&row.name, row.names_en),
        );
        add(Reading::Adjective, ActorKind::Government, row.adjectives_en);
        add(Reading::Demonym, ActorKind::Population, row.demonyms_en);
        add(
            Reading::Capital,
            ActorKind::Government,
            all_names(&row.capital, Vec::new()),
        );
        add(Reading::Metonym, ActorKind::Government, row.metonyms);
    }
}

/// The kinds that knowledge files use for actors, as the tables name them.
pub(super) fn actor_kind(word: &str) -> Option<ActorKind> {
    Some(match word {
        "government" | "parliament" | "judiciary" => ActorKind::Government,
        "military" | "police" => ActorKind::Military,
        "armed_group" => ActorKind::ArmedGroup,
        "international" | "mission" | "coalition" => ActorKind::International,
        "opposition" | "civil_society" | "company" | "pollster" | "business" => ActorKind::Organization,
        "media" => ActorKind::Media,
        "population" => ActorKind::Population,
        "person" => ActorKind::Person,
        _ => return None,
    })
}

fn kind(reader: &mut Reader, file: &str, line: u64, word: &str) -> ActorKind {
    actor_kind(word).unwrap_or_else(|| {
        reader.fault(file, Some(line), format!("`{word}` is no kind of actor"));
        ActorKind::Unknown
    })
}

fn organizations(reader: &mut Reader, actors: &mut Actors, known: &mut HashSet<String>) {
    const FILE: &str = "actors/organizations.tsv";
    let rows = reader.table::<OrganizationRow>(FILE);
    for line in &rows {
        if !known.insert(line.row.code.clone()) {
            reader.fault(
                FILE,
                Some(line.number),
                format!("code `{}` stands twice", line.row.code),
            );
        }
    }
    for Line { number, row } in rows {
        let kind = kind(reader, FILE, number, &row.kind);
        let home = code(reader, FILE, number, &row.home, known);
        let hosts = codes(reader, FILE, number, &row.hosts, known);
        let country = home.clone().or_else(|| Some(Code::new(&row.code)));
        // A company or an alliance fields forces of its own, wherever it has its seat; a mission is its parent's.
        let is_seated = home
            .as_ref()
            .is_some_and(|home| actors.countries.contains_key(home));
        let fields = is_seated && matches!(row.kind.as_str(), "company" | "international");
        let force = row.force_kind.map(|kind| Force {
            home: if fields {
                Some(Code::new(&row.code))
            } else {
                country.clone()
            },
            kind,
            hosts,
        });
        let years = (row.from, row.to);
        let office = Some(row.kind);
        let entry = entry(Reading::Organization, &row.code, &row.name, kind, country);
        let entry = Entry {
            force,
            years,
            office,
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}

fn forces(reader: &mut Reader, actors: &mut Actors, known: &HashSet<String>) {
    const FILE: &str = "actors/forces.tsv";
    for Line { number, row } in reader.table::<ForceRow>(FILE) {
        let home = code(reader, FILE, number, &row.home, known);
        let hosts = codes(reader, FILE, number, &row.hosts, known);
        let force = Some(Force {
            home: home.clone(),
            kind: row.kind,
            hosts,
        });
        let entry = entry(Reading::Force, &row.id, &row.name, ActorKind::Military, home);
        let entry = Entry {
            force,
            years: (row.from, row.to),
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}

fn armed_groups(reader: &mut Reader, actors: &mut Actors, known: &HashSet<String>) {
    const FILE: &str = "actors/armed_groups.tsv";
    for Line { number, row } in reader.table::<ArmedGroupRow>(FILE) {
        let country = codes(reader, FILE, number, &row.countries, known)
            .into_iter()
            .next();
        let entry = entry(
            Reading::ArmedGroup,
            &row.id,
            &row.name,
            ActorKind::ArmedGroup,
            country,
        );
        let entry = Entry {
            years: (row.from, row.to),
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}

fn offices(reader: &mut Reader, actors: &mut Actors, known: &HashSet<String>) {
    const FILE: &str = "actors/offices.tsv";
    for Line { number, row } in reader.table::<OfficeRow>(FILE) {
        let kind = kind(reader, FILE, number, &row.kind);
        let country = code(reader, FILE, number, &row.country, known);
        let entry = entry(Reading::Office, &row.name, &row.name, kind, country);
        let entry = Entry {
            office: Some(row.office),
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}

fn year(reader: &mut Reader, file: &str, line: u64, text: &str) -> Option<i16> {
    let year = text.get(..4).and_then(|year| year.parse().ok());
    if year.is_none() && !text.is_empty() {
        reader.fault(
            file,
            Some(line),
            format!("`{text}` is no year or year and month, such as 2023 or 2023-07"),
        );
    }
    year
}

fn people(reader: &mut Reader, actors: &mut Actors, known: &HashSet<String>) {
    const FILE: &str = "actors/people.tsv";
    for Line { number, row } in reader.table::<PersonRow>(FILE) {
        let kind = kind(reader, FILE, number, &row.kind);
        let country = code(reader, FILE, number, &row.country, known);
        let years = (
            year(reader, FILE, number, &row.from),
            year(reader, FILE, number, &row.to),
        );
        let entry = entry(Reading::Person, &row.name, &row.name, kind, country);
        let entry = Entry {
            office: Some(row.office),
            years,
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}

fn bases(reader: &mut Reader, actors: &mut Actors, known: &HashSet<String>) {
    const FILE: &str = "places/bases.tsv";
    for Line { number, row } in reader.table::<BaseRow>(FILE) {
        let home = code(reader, FILE, number, &row.home, known);
        let hosts: Vec<Code> = code(reader, FILE, number, &row.host, known).into_iter().collect();
        let position = position(
            reader,
            FILE,
            number,
            (row.latitude, row.longitude),
            PlacePrecision::Point,
        );
        let entry = entry(
            Reading::Base,
            &row.id,
            &row.name,
            ActorKind::Military,
            hosts.first().cloned(),
        );
        let force = Some(Force {
            home,
            kind: ForceKind::Base,
            hosts,
        });
        let entry = Entry {
            force,
            position: Some(position),
            years: (row.from, row.to),
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}

fn places(reader: &mut Reader, actors: &mut Actors, known: &HashSet<String>) {
    const FILE: &str = "places/places.tsv";
    for Line { number, row } in reader.table::<PlaceRow>(FILE) {
        let country = code(reader, FILE, number, &row.country, known);
        let precision = match row.kind.as_str() {
            "capital" | "admin_capital" | "city" | "town" | "village" => PlacePrecision::City,
            "border" => PlacePrecision::Point,
            "province" | "region" | "sea" | "island" => PlacePrecision::Region,
            other => {
                reader.fault(FILE, Some(number), format!("`{other}` is no kind of place"));
                PlacePrecision::Region
            }
        };
        let position = position(reader, FILE, number, (row.latitude, row.longitude), precision);
        let id = format!("{}/{}", row.country, row.name);
        let entry = entry(Reading::Place, &id, &row.name, ActorKind::Place, country);
        let entry = Entry {
            position: Some(position),
            rank: row.population_class.unwrap_or(4),
            ..entry
        };
        actors.named.push(Named {
            names: all_names(&row.name, row.names),
            entry,
        });
    }
}
