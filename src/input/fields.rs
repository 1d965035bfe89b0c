//! Which field of a record is what: names are recognized whatever their case, separators and nesting, and dates that
//! are written as numbers are made ISO 8601.
//!
//! Names are tried in the order listed and the shallowest wins. Of several texts the longest that is not HTML is taken.
//! Everything here is a pure function of one record and the file's [`Layout`].

use std::collections::HashMap;
use std::sync::LazyLock;

use anyhow::{Result, bail};

use super::{Content, Problem, Raw, RejectReason};

/// What a field is to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The article.
    Text,
    /// The article or its page as HTML.
    Html,
    /// A few sentences; the text only where there is no other.
    Summary,
    /// The headline.
    Title,
    /// The title of the page, with the site's name.
    PageTitle,
    /// Who wrote it.
    Byline,
    /// When it was published.
    Published,
    /// When it was last changed.
    Modified,
    /// When a crawler met it.
    Seen,
    /// Its address.
    Url,
    /// Its publisher.
    Source,
    /// Its language.
    Language,
    /// Its name in the collection.
    Id,
}

/// Names by role, best first. They are compared without case, `_`, `-`, `@`, `:` and spaces; a dot stands for nesting.
/// Taken from the exports of news-please, Media Cloud, Event Registry, GDELT, NewsAPI, the JSON feeds of content
/// management systems, schema.org and common corpora.
pub const NAMES: &[(Role, &[&str])] = &[
    (
        Role::Text,
        &[
            "maintext",
            "articleBody",
            "body",
            "content_text",
            "content",
            "full_text",
            "fulltext",
            "article_text",
            "body_text",
            "full_content",
            "plain_text",
            "clean_text",
            "raw_text",
            "text_content",
            "extracted_text",
            "document_text",
            "news_text",
            "article",
            "story",
            "text",
            "document",
            "paragraphs",
            "body.text",
            "body.content",
            "body.value",
            "content.text",
            "content.value",
            "text.text",
            "text.value",
            "paragraphs.text",
        ],
    ),
    (
        Role::Html,
        &[
            "html",
            "raw_html",
            "content_html",
            "html_content",
            "body_html",
            "page_html",
            "content.rendered",
        ],
    ),
    (
        Role::Summary,
        &[
            "description",
            "summary",
            "abstract",
            "lead_paragraph",
            "excerpt",
            "snippet",
            "excerpt.rendered",
        ],
    ),
    (
        Role::Title,
        &[
            "title",
            "headline",
            "title.rendered",
            "headline.main",
            "title.text",
            "title.value",
            "article_title",
            "news_title",
            "headlines",
            "heading",
            "web_title",
        ],
    ),
    (Role::PageTitle, &["title_page", "page_title", "html_title"]),
    (
        Role::Byline,
        &[
            "authors",
            "author",
            "byline",
            "authors.name",
            "author.name",
            "byline.original",
            "creator",
            "creator.name",
            "dc_creator",
            "author_name",
            "written_by",
        ],
    ),
    (
        Role::Published,
        &[
            "date_publish",
            "published",
            "datePublished",
            "publish_date",
            "publishedAt",
            "publication_date",
            "publishedDate",
            "pubDate",
            "dateTimePub",
            "published_at",
            "date_gmt",
            "web_publication_date",
            "published_on",
            "published_time",
            "publish_time",
            "article_date",
            "dateTime",
            "date",
        ],
    ),
    (
        Role::Modified,
        &[
            "date_modify",
            "dateModified",
            "modified",
            "modified_gmt",
            "last_updated_date",
            "modified_at",
            "updated_at",
            "updated",
        ],
    ),
    (
        Role::Seen,
        &[
            "seendate",
            "seen_at",
            "date_download",
            "crawled",
            "crawled_at",
            "crawl_date",
            "WARC-Date",
            "indexed_date",
            "collect_date",
            "Load-Date",
            "scraped_at",
            "fetched_at",
            "download_date",
        ],
    ),
    (
        Role::Url,
        &[
            "url",
            "link",
            "canonical_url",
            "external_url",
            "uri",
            "WARC-Target-URI",
            "web_url",
            "article_url",
            "permalink",
        ],
    ),
    (
        Role::Source,
        &[
            "source_domain",
            "domain",
            "site",
            "sourceName",
            "source.name",
            "source.title",
            "media_name",
            "publisher.name",
            "publication",
            "newspaper",
            "outlet",
            "site_name",
            "news_source",
            "publisher",
            "source",
            "source.domain",
            "source.uri",
            "section.site",
        ],
    ),
    (
        Role::Language,
        &["language", "lang", "inLanguage", "language_code"],
    ),
    (
        Role::Id,
        &[
            "id",
            "uuid",
            "stories_id",
            "guid",
            "article_id",
            "doc_id",
            "document_id",
        ],
    ),
];

/// Headers of tables made by people in other languages; tried after [`NAMES`].
const NAMES_ELSEWHERE: &[(Role, &[&str])] = &[
    (
        Role::Text,
        &[
            "texte",
            "contenu",
            "corps",
            "texto",
            "cuerpo",
            "contenido",
            "conteúdo",
            "conteudo",
            "corpo",
            "testo",
            "contenuto",
            "inhalt",
            "volltext",
            "artikeltext",
            "tekst",
            "metin",
            "içerik",
            "текст",
            "содержание",
            "النص",
            "المحتوى",
            "متن",
        ],
    ),
    (
        Role::Summary,
        &[
            "résumé",
            "chapo",
            "chapeau",
            "resumen",
            "resumo",
            "sommario",
            "zusammenfassung",
            "описание",
            "الملخص",
        ],
    ),
    (
        Role::Title,
        &[
            "titre",
            "titular",
            "título",
            "titulo",
            "titolo",
            "titel",
            "überschrift",
            "schlagzeile",
            "tytuł",
            "başlık",
            "заголовок",
            "название",
            "العنوان",
            "عنوان",
        ],
    ),
    (
        Role::Byline,
        &[
            "auteur",
            "auteurs",
            "autor",
            "autores",
            "autora",
            "autore",
            "autoren",
            "verfasser",
            "yazar",
            "автор",
            "الكاتب",
        ],
    ),
    (
        Role::Published,
        &[
            "date_publication",
            "date de publication",
            "date de parution",
            "publié_le",
            "publié",
            "fecha de publicación",
            "fecha_publicacion",
            "fecha",
            "data de publicação",
            "data_publicacao",
            "data di pubblicazione",
            "data_pubblicazione",
            "data",
            "erscheinungsdatum",
            "veröffentlicht",
            "datum",
            "tarih",
            "дата публикации",
            "дата",
            "تاريخ النشر",
            "التاريخ",
            "تاريخ",
        ],
    ),
    (Role::Url, &["lien", "enlace", "adresse", "ссылка", "الرابط"]),
    (
        Role::Source,
        &[
            "média",
            "journal",
            "medio",
            "fuente",
            "diario",
            "veículo",
            "jornal",
            "fonte",
            "testata",
            "quelle",
            "zeitung",
            "kaynak",
            "источник",
            "издание",
            "المصدر",
        ],
    ),
    (
        Role::Language,
        &["langue", "idioma", "lingua", "sprache", "dil", "язык", "اللغة"],
    ),
];

/// Objects that speak of something other than the article: inside them only the dotted names above count.
const ASIDE: &[&str] = &[
    "author",
    "authors",
    "byline",
    "creator",
    "publisher",
    "source",
    "image",
    "images",
    "thumbnail",
    "media",
    "video",
    "videos",
    "photo",
    "photos",
    "comment",
    "comments",
    "related",
    "relatedarticles",
    "links",
    "user",
    "location",
    "locations",
    "entities",
    "mentions",
    "concepts",
    "categories",
    "category",
    "tags",
    "keywords",
    "sentiment",
    "section",
    "ads",
    "social",
    "provider",
    "geo",
    "event",
    "parent",
    "owner",
    "translation",
    "translations",
];

/// Where in the order of names a field stands: its depth, then its place in the list of its role.
type Rank = (u8, u8);

/// The place of the first name in another language: no list of [`NAMES`] is so long.
const LATER: u8 = 100;

static ROLES: LazyLock<HashMap<String, (Role, u8)>> = LazyLock::new(|| {
    let mut roles = HashMap::new();
    for (list, first) in [(NAMES, 0), (NAMES_ELSEWHERE, LATER)] {
        for (role, names) in list {
            for (rank, name) in names.iter().enumerate() {
                roles
                    .entry(canonical_path(name))
                    .or_insert((*role, first + rank as u8));
            }
        }
    }
    roles
});

/// A name without case and separators.
pub(crate) fn canonical(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    push_canonical(&mut out, name);
    out
}

pub(crate) fn push_canonical(out: &mut String, name: &str) {
    // Search engines wrap a record in `_source`, which is not the publisher's `source`.
    if name == "_source" {
        return out.push_str(name);
    }
    for c in name.chars() {
        if !matches!(c, '_' | '-' | '@' | ':' | ' ' | '.' | '#' | '\u{feff}') {
            out.extend(c.to_lowercase());
        }
    }
}

fn canonical_path(path: &str) -> String {
    path.split('.')
        .map(canonical)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

/// Whether a canonical name holds things that are not the article.
pub(crate) fn is_aside(name: &str) -> bool {
    ASIDE.contains(&name)
}

/// `[input.fields]`: fields that the user named for a role. Such a role takes no other field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldNames {
    named: Vec<(Role, String)>,
}

impl FieldNames {
    /// From pairs of a role's name (`text`, `html`, `title`, `published` ...) and the path of a field, whose steps are
    /// separated by dots. A CSV column without a header is named by its number, from 1. Errors name the roles there are.
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Result<FieldNames> {
        let mut names = FieldNames::default();
        for (role, path) in pairs {
            let Some(role) = Role::ALL.iter().find(|known| known.as_str() == *role) else {
                let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
                bail!("there is no field {role:?}; there are {}", known.join(", "));
            };
            names.named.push((*role, canonical_path(path)));
        }
        Ok(names)
    }

    fn role_of(&self, path: &str) -> Option<Role> {
        self.named
            .iter()
            .find(|(_, named)| named == path)
            .map(|(role, _)| *role)
    }

    fn names(&self, role: Role) -> bool {
        self.named.iter().any(|(named, _)| *named == role)
    }
}

impl Role {
    /// Every member, in the order of declaration.
    pub const ALL: &[Role] = &[
        Role::Text,
        Role::Html,
        Role::Summary,
        Role::Title,
        Role::PageTitle,
        Role::Byline,
        Role::Published,
        Role::Modified,
        Role::Seen,
        Role::Url,
        Role::Source,
        Role::Language,
        Role::Id,
    ];

    /// As `[input.fields]` and the reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Text => "text",
            Role::Html => "html",
            Role::Summary => "summary",
            Role::Title => "title",
            Role::PageTitle => "page_title",
            Role::Byline => "byline",
            Role::Published => "published",
            Role::Modified => "modified",
            Role::Seen => "seen",
            Role::Url => "url",
            Role::Source => "source",
            Role::Language => "language",
            Role::Id => "id",
        }
    }

    /// Whether a number may be the value: an identifier or a time.
    fn takes_numbers(self) -> bool {
        matches!(self, Role::Published | Role::Modified | Role::Seen | Role::Id)
    }

    fn is_date(self) -> bool {
        matches!(self, Role::Published | Role::Modified | Role::Seen)
    }
}

/// What a record says about itself. Strings are trimmed and never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The headline.
    pub title: Option<String>,
    /// The title of the page.
    pub page_title: Option<String>,
    /// Who wrote it.
    pub byline: Option<String>,
    /// Numeric forms are ISO 8601 already (`date`); others are as written.
    pub published: Option<String>,
    /// When it was last changed.
    pub modified: Option<String>,
    /// When a crawler met the page; never a date of publication.
    pub seen: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// Its publisher.
    pub source: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Its name in the collection.
    pub id: Option<String>,
    /// The content is only a summary, as there was nothing longer.
    pub summary: bool,
    /// Which field each role was taken from; only filled for `inspect`.
    pub mapping: Vec<(Role, String)>,
}

impl Fields {
    /// The roles that have a value.
    pub fn filled(&self) -> impl Iterator<Item = Role> {
        [
            (Role::Title, &self.title),
            (Role::PageTitle, &self.page_title),
            (Role::Byline, &self.byline),
            (Role::Published, &self.published),
            (Role::Modified, &self.modified),
            (Role::Seen, &self.seen),
            (Role::Url, &self.url),
            (Role::Source, &self.source),
            (Role::Language, &self.language),
            (Role::Id, &self.id),
        ]
        .into_iter()
        .filter(|(_, value)| value.is_some())
        .map(|(role, _)| role)
    }
}

/// What is known of a file before its records are parsed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// What the user named.
    pub names: FieldNames,
    /// How numeric dates are read.
    pub dates: DateOrder,
    /// Columns of a table (CSV), in order, with what they are.
    pub columns: Vec<Column>,
    /// How a CSV file is written.
    pub dialect: super::csv::Dialect,
    /// The encoding of a file that is not UTF-8.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// As in [`super::ReadOptions`].
    pub max_record_bytes: usize,
    /// UTF-16 was made UTF-8 on the way.
    pub transcoded: bool,
    /// A sample is read: the mapping is recorded in `Fields::mapping`, and dates are left as they are written.
    pub sampling: bool,
}

/// A column and the role its name gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// As the file has it.
    pub name: String,
    /// What it is to the record, and its place among the names of that role.
    pub role: Option<(Role, u8)>,
}

impl Layout {
    /// The role of a column by its name, which may be a path (`source.name`).
    pub(crate) fn column(&self, name: &str) -> Column {
        let path = canonical_path(name);
        let role = self.names.role_of(&path).map(|role| (role, 0)).or_else(|| {
            let (head, last) = path.rsplit_once('.').unwrap_or(("", &path));
            let parent = head.rsplit('.').next().unwrap_or("");
            let aside = head.split('.').any(is_aside);
            self.role_of(parent, last, aside)
        });
        Column {
            name: name.to_string(),
            role,
        }
    }

    /// The role of a field by its canonical name and that of the object it lies in.
    fn role_of(&self, parent: &str, name: &str, aside: bool) -> Option<(Role, u8)> {
        let pair = if parent.is_empty() {
            None
        } else {
            ROLES.get(&format!("{parent}.{name}"))
        };
        let found = pair
            .or_else(|| if aside { None } else { ROLES.get(name) })
            .copied()?;
        if self.names.names(found.0) {
            None
        } else {
            Some(found)
        }
    }

    /// The role of a JSON or XML field: `path` is the canonical path that ends in `name`.
    pub(crate) fn role_at(&self, path: &str, parent: &str, name: &str, aside: bool) -> Option<(Role, u8)> {
        if !self.names.named.is_empty()
            && let Some(role) = self.names.role_of(path)
        {
            return Some((role, 0));
        }
        self.role_of(parent, name, aside)
    }
}

/// Gathers the candidates of one record.
pub(crate) struct Found<'a> {
    layout: &'a Layout,
    best: [Option<(Rank, String, String)>; ROLE_COUNT],
    texts: Vec<(String, String)>,
    fallback: Option<(String, String)>,
}

const ROLE_COUNT: usize = Role::ALL.len();

/// A field of unknown name may be the text if nothing else is: it must be longer than a headline or a teaser usually
/// is, and made of words.
const FALLBACK_BYTES_MIN: usize = 200;

impl<'a> Found<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Found<'a> {
        Found {
            layout,
            best: [const { None }; ROLE_COUNT],
            texts: Vec::new(),
            fallback: None,
        }
    }

    pub(crate) fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// A value found under a name with a role. `again` appends to what the same field gave before (a list).
    pub(crate) fn offer(
        &mut self,
        (role, place): (Role, u8),
        depth: u8,
        path: &str,
        value: &str,
        again: bool,
    ) {
        if is_void(value, role) {
            return;
        }
        let path = if self.layout.sampling {
            path.to_string()
        } else {
            String::new()
        };
        if role == Role::Text {
            match self.texts.last_mut() {
                Some((text, _)) if again => {
                    text.push_str("\n\n");
                    text.push_str(value);
                }
                _ => self.texts.push((value.to_string(), path)),
            }
            return;
        }
        let Some(value) = self.cleaned(role, value) else {
            return;
        };
        let rank = (depth, place);
        match &mut self.best[role as usize] {
            Some((known, text, _)) if *known == rank && again => {
                if role == Role::Byline {
                    text.push_str(", ");
                    text.push_str(&value);
                }
            }
            Some((known, _, _)) if *known <= rank => {}
            slot => *slot = Some((rank, value, path)),
        }
    }

    /// A number found under a name with a role.
    pub(crate) fn offer_number(&mut self, hit: (Role, u8), depth: u8, path: &str, value: &str) {
        if hit.0.takes_numbers() {
            self.offer(hit, depth, path, value, false);
        }
    }

    /// A value of unknown name, the text of last resort.
    pub(crate) fn offer_unknown(&mut self, path: &str, value: &str) {
        let known = self
            .fallback
            .as_ref()
            .map_or(FALLBACK_BYTES_MIN - 1, |(text, _)| text.len());
        if value.len() <= known || self.layout.names.names(Role::Text) {
            return;
        }
        // A word is rarely longer than 20 bytes in any script with spaces; scripts without them use three bytes a letter.
        let spaces = memchr::memchr_iter(b' ', value.as_bytes()).count();
        if spaces >= value.len() / 40 || !value.is_ascii() && spaces > 0 {
            let path = if self.layout.sampling {
                path.to_string()
            } else {
                String::new()
            };
            self.fallback = Some((value.to_string(), path));
        }
    }

    fn cleaned(&self, role: Role, value: &str) -> Option<String> {
        let value = value.trim();
        if role.is_date() && !self.layout.sampling {
            date(value, self.layout.dates)
        } else if role == Role::Url {
            let address = value
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("http"))
                || value.starts_with("//")
                || value.starts_with("www.");
            address.then(|| value.to_string())
        } else {
            Some(value.to_string())
        }
    }

    /// The record, or the problem that it has no text.
    pub(crate) fn finish(mut self, record: i64, byte_offset: Option<i64>) -> Result<Raw, Problem> {
        let mut mapping = Vec::new();
        let trace = self.layout.sampling;
        let mut summary = false;
        let content = if let Some((text, path)) = self.take_plain_text() {
            mapping.push((Role::Text, path));
            Content::Text(text)
        } else if let Some((html, path)) = self.take_html() {
            mapping.push((Role::Html, path));
            Content::Html {
                bytes: html.into_bytes(),
                charset: Some("utf-8".to_string()),
            }
        } else if let Some((_, text, path)) = self.best[Role::Summary as usize].take() {
            summary = true;
            mapping.push((Role::Summary, path));
            text_or_html(text)
        } else if let Some((text, path)) = self.fallback.take() {
            mapping.push((Role::Text, path));
            text_or_html(text)
        } else {
            return Err(Problem::new(RejectReason::NoText, "no field holds a text"));
        };
        let mut take = |role: Role| {
            let (_, value, path) = self.best[role as usize].take()?;
            if trace {
                mapping.push((role, path));
            }
            Some(value)
        };
        let mut fields = Fields {
            title: take(Role::Title),
            page_title: take(Role::PageTitle),
            byline: take(Role::Byline),
            published: take(Role::Published),
            modified: take(Role::Modified),
            seen: take(Role::Seen),
            url: take(Role::Url),
            source: take(Role::Source),
            language: take(Role::Language),
            id: take(Role::Id),
            summary,
            mapping: Vec::new(),
        };
        if trace {
            fields.mapping = mapping;
        }
        Ok(Raw {
            record,
            byte_offset,
            fields,
            content,
        })
    }

    fn take_plain_text(&mut self) -> Option<(String, String)> {
        let longest = self
            .texts
            .iter()
            .enumerate()
            .filter(|(_, (text, _))| !looks_like_html(text))
            .max_by_key(|(place, (text, _))| (text.len(), usize::MAX - place))
            .map(|(place, _)| place)?;
        Some(self.texts.swap_remove(longest))
    }

    fn take_html(&mut self) -> Option<(String, String)> {
        if let Some((_, html, path)) = self.best[Role::Html as usize].take() {
            return Some((html, path));
        }
        let longest = self
            .texts
            .iter()
            .enumerate()
            .max_by_key(|(_, (text, _))| text.len())?
            .0;
        Some(self.texts.swap_remove(longest))
    }
}

fn text_or_html(text: String) -> Content {
    if looks_like_html(&text) {
        Content::Html {
            bytes: text.into_bytes(),
            charset: Some("utf-8".to_string()),
        }
    } else {
        Content::Text(text)
    }
}

/// Values that exporters write where there is none.
fn is_void(value: &str, role: Role) -> bool {
    let value = value.trim();
    if value.is_empty() {
        return true;
    }
    role != Role::Title
        && matches!(
            value,
            "null" | "NULL" | "None" | "none" | "NaN" | "nan" | "N/A" | "n/a" | "[]" | "{}"
        )
}

/// Whether a text is a page or fragment of HTML: it holds a closing tag or a paragraph or line break.
pub(crate) fn looks_like_html(text: &str) -> bool {
    const TAGS: &[&str] = &[
        "p", "br", "div", "a", "span", "html", "body", "article", "ul", "li", "h1", "h2", "strong", "em",
        "b", "i",
    ];
    let bytes = text.as_bytes();
    let mut tags = 0;
    for at in memchr::memchr_iter(b'<', bytes).take(64) {
        let rest = &bytes[at + 1..];
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        let name_len = rest
            .iter()
            .take(10)
            .take_while(|b| b.is_ascii_alphanumeric())
            .count();
        let closed = matches!(rest.get(name_len), Some(b'>' | b' ' | b'/' | b'\n' | b'\t'));
        let known = TAGS
            .iter()
            .any(|tag| rest[..name_len].eq_ignore_ascii_case(tag.as_bytes()));
        tags += usize::from(known && closed);
        if tags >= 2 || tags == 1 && text.trim_start().starts_with('<') {
            return true;
        }
    }
    false
}

/// The order of day and month in a file's numeric dates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// 5/1 is the fifth of January.
    DayFirst,
    /// 5/1 is the first of May.
    MonthFirst,
    /// Nothing in the file tells.
    #[default]
    Unknown,
}

/// Counts what numeric dates say about the order of day and month.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct DateVotes {
    day_first: usize,
    month_first: usize,
    undecided: usize,
}

impl DateVotes {
    pub(crate) fn add(&mut self, value: &str) {
        if let Some(parts) = numeric_date(value.trim())
            && parts.separator != b'.'
        {
            match (parts.first > 12, parts.second > 12) {
                (true, false) => self.day_first += 1,
                (false, true) => self.month_first += 1,
                _ => self.undecided += 1,
            }
        }
    }

    /// Whether no date with day and month as numbers was met.
    pub(crate) fn is_empty(self) -> bool {
        self.day_first + self.month_first + self.undecided == 0
    }

    /// The order of the majority: one that at least four of five decided dates follow.
    pub(crate) fn order(self) -> DateOrder {
        let decided = self.day_first + self.month_first;
        if decided > 0 && self.day_first * 5 >= decided * 4 {
            DateOrder::DayFirst
        } else if decided > 0 && self.month_first * 5 >= decided * 4 {
            DateOrder::MonthFirst
        } else {
            DateOrder::Unknown
        }
    }
}

struct NumericDate<'a> {
    first: u32,
    second: u32,
    year: u32,
    separator: u8,
    rest: &'a str,
}

/// Reads `d/m/yyyy` or `m/d/yyyy`, also with dots or hyphens and with two-digit years.
fn numeric_date(value: &str) -> Option<NumericDate<'_>> {
    let bytes = value.as_bytes();
    let number = |at: usize, most: usize| -> Option<(u32, usize)> {
        let len = bytes
            .get(at..)?
            .iter()
            .take(most + 1)
            .take_while(|b| b.is_ascii_digit())
            .count();
        if len == 0 || len > most {
            return None;
        }
        Some((value.get(at..at + len)?.parse().ok()?, at + len))
    };
    let (first, at) = number(0, 2)?;
    let separator = *bytes.get(at).filter(|b| matches!(b, b'/' | b'.' | b'-'))?;
    let (second, at) = number(at + 1, 2)?;
    if bytes.get(at) != Some(&separator) {
        return None;
    }
    let start = at + 1;
    let (year, at) = number(start, 4)?;
    let year = match at - start {
        4 => year,
        // POSIX strptime %y: 69 to 99 are of the 20th century, 00 to 68 of the 21st.
        2 if year >= 69 => 1900 + year,
        2 => 2000 + year,
        _ => return None,
    };
    let valid = (1..=31).contains(&first) && (1..=31).contains(&second) && (first <= 12 || second <= 12);
    (valid && (1500..=2200).contains(&year)).then(|| NumericDate {
        first,
        second,
        year,
        separator,
        rest: &value[at..],
    })
}

/// A date field as it is handed on. Epoch seconds, milliseconds, microseconds and nanoseconds, `YYYYMMDD[HHMM[SS]]`,
/// `YYYYMMDDTHHMMSSZ`, `YYYY/MM/DD` and numeric day and month become ISO 8601; a numeric date whose order is open is
/// `None` rather than a guess; other forms are returned as they are.
pub(crate) fn date(value: &str, order: DateOrder) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    if let Some(parts) = numeric_date(value) {
        let day_first = match order {
            _ if parts.first > 12 => true,
            _ if parts.second > 12 => false,
            _ if parts.first == parts.second => true,
            // Dates with dots are written day first wherever they are written.
            _ if parts.separator == b'.' => true,
            DateOrder::DayFirst => true,
            DateOrder::MonthFirst => false,
            DateOrder::Unknown => return None,
        };
        let (day, month) = if day_first {
            (parts.first, parts.second)
        } else {
            (parts.second, parts.first)
        };
        return Some(format!(
            "{:04}-{month:02}-{day:02}{}",
            parts.year,
            time_of_day(parts.rest)
        ));
    }
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &value[digits..];
    let fraction_is_zero = rest
        .strip_prefix('.')
        .is_some_and(|zeros| zeros.bytes().all(|b| b.is_ascii_digit()));
    if rest.is_empty() || fraction_is_zero {
        return Some(number_date(&value[..digits]).unwrap_or_else(|| value.to_string()));
    }
    if digits == 8
        && let Some(time) = rest.strip_prefix(['T', ' '])
        && time.len() >= 4
        && time.bytes().take_while(u8::is_ascii_digit).count() >= 4
    {
        let clock: String = time.chars().filter(char::is_ascii_digit).take(6).collect();
        let zone = &time[clock.len().min(time.len())..];
        return Some(
            compact_date(&format!("{}{clock}", &value[..8])).map_or(value.to_string(), |iso| {
                if zone.is_empty() {
                    iso
                } else {
                    format!("{}{zone}", iso.trim_end_matches('Z'))
                }
            }),
        );
    }
    if digits == 4
        && rest.starts_with('/')
        && let [year, month, tail] = value.splitn(3, '/').collect::<Vec<_>>()[..]
    {
        let day_len = tail.bytes().take_while(u8::is_ascii_digit).count().min(2);
        if let (Ok(month), Ok(day)) = (month.parse::<u32>(), tail[..day_len].parse::<u32>()) {
            return Some(format!(
                "{year}-{month:02}-{day:02}{}",
                time_of_day(&tail[day_len..])
            ));
        }
    }
    Some(value.to_string())
}

/// A date written as one number.
fn number_date(digits: &str) -> Option<String> {
    let number: i64 = digits.parse().ok()?;
    let microseconds = match digits.len() {
        8 | 14 => return compact_date(digits),
        12 if compact_date(digits).is_some() => return compact_date(digits),
        9 | 10 => number.checked_mul(1_000_000)?,
        12 | 13 => number.checked_mul(1_000)?,
        15 | 16 => number,
        18 | 19 => number / 1_000,
        _ => return None,
    };
    Some(jiff::Timestamp::from_microsecond(microseconds).ok()?.to_string())
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS` as ISO 8601; times are taken as UTC, as archives that write them so do.
fn compact_date(digits: &str) -> Option<String> {
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i8>().ok();
    let year: i16 = digits.get(..4)?.parse().ok()?;
    let day = jiff::civil::Date::new(year, part(4..6)?, part(6..8)?).ok()?;
    if !(1900..=2100).contains(&year) {
        return None;
    }
    if digits.len() == 8 {
        return Some(day.to_string());
    }
    let second = if digits.len() >= 14 { part(12..14)? } else { 0 };
    let time = jiff::civil::Time::new(part(8..10)?, part(10..12)?, second, 0).ok()?;
    Some(format!("{day}T{time}Z"))
}

/// The time after a date, as ISO 8601 (`T14:05:00`) if it is one, else nothing.
fn time_of_day(rest: &str) -> String {
    let rest = rest.trim_start_matches([' ', ',', 'T']).trim_end();
    let lower = rest.to_ascii_lowercase();
    let (clock, afternoon) = match lower.strip_suffix("am").or_else(|| lower.strip_suffix("a.m.")) {
        Some(clock) => (clock, Some(false)),
        None => match lower.strip_suffix("pm").or_else(|| lower.strip_suffix("p.m.")) {
            Some(clock) => (clock, Some(true)),
            None => (lower.as_str(), None),
        },
    };
    let clock_len = clock
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b':')
        .count();
    let zone = clock[clock_len..].trim().to_ascii_uppercase();
    let mut parts = clock[..clock_len].split(':').map(|part| part.parse::<u32>().ok());
    let (Some(Some(hour)), Some(Some(minute))) = (parts.next(), parts.next()) else {
        return String::new();
    };
    let second = parts.next().flatten().unwrap_or(0);
    let hour = match afternoon {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    if hour > 23 || minute > 59 || second > 60 {
        return String::new();
    }
    let zone = match zone.as_str() {
        "UTC" | "GMT" | "Z" => "Z".to_string(),
        zone if zone.starts_with(['+', '-']) => zone.to_string(),
        _ => String::new(),
    };
    format!("T{hour:02}:{minute:02}:{:02}{zone}", second.min(59))
}

/// The votes of a record for the order of day and month, given what its date fields say.
pub(crate) fn vote(votes: &mut DateVotes, raw: &Raw) {
    for value in [&raw.fields.published, &raw.fields.modified, &raw.fields.seen]
        .into_iter()
        .flatten()
    {
        votes.add(value);
    }
}

/// Bytes in the file's encoding as text, or as UTF-8 with replacement characters.
pub(crate) fn decoded<'a>(layout: &Layout, bytes: &'a [u8]) -> std::borrow::Cow<'a, str> {
    match layout.encoding {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
        None => String::from_utf8_lossy(bytes),
    }
}
