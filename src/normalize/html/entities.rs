//! Character references: the 252 names of HTML 4 with a few of HTML 5 that news pages use, and numbers.
//!
//! Numbers from 128 to 159 are read as windows-1252, as the HTML standard asks (13.2.5.80).

/// U+00A0 to U+00FF in order (HTML 4.01, 24.2).
const LATIN1: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// Names that stand alone (HTML 4.01, 24.3 and 24.4, and HTML 5 names for marks on the keyboard).
const OTHERS: [(&str, char); 87] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("AMP", '&'),
    ("LT", '<'),
    ("GT", '>'),
    ("QUOT", '"'),
    ("COPY", '©'),
    ("REG", '®'),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
    ("Yuml", 'Ÿ'),
    ("Zcaron", 'Ž'),
    ("zcaron", 'ž'),
    ("Ccaron", 'Č'),
    ("ccaron", 'č'),
    ("Cacute", 'Ć'),
    ("cacute", 'ć'),
    ("Dstrok", 'Đ'),
    ("dstrok", 'đ'),
    ("Lstrok", 'Ł'),
    ("lstrok", 'ł'),
    ("inodot", 'ı'),
    ("Idot", 'İ'),
    ("Scedil", 'Ş'),
    ("scedil", 'ş'),
    ("Gbreve", 'Ğ'),
    ("gbreve", 'ğ'),
    ("eogon", 'ę'),
    ("aogon", 'ą'),
    ("sacute", 'ś'),
    ("nacute", 'ń'),
    ("zdot", 'ż'),
    ("fnof", 'ƒ'),
    ("circ", 'ˆ'),
    ("tilde", '˜'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwnj", '\u{200C}'),
    ("zwj", '\u{200D}'),
    ("lrm", '\u{200E}'),
    ("rlm", '\u{200F}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("horbar", '―'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("dagger", '†'),
    ("Dagger", '‡'),
    ("bull", '•'),
    ("hellip", '…'),
    ("permil", '‰'),
    ("prime", '′'),
    ("Prime", '″'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("oline", '‾'),
    ("frasl", '⁄'),
    ("euro", '€'),
    ("trade", '™'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("harr", '↔'),
    ("minus", '−'),
    ("infin", '∞'),
    ("ne", '≠'),
    ("le", '≤'),
    ("ge", '≥'),
    ("asymp", '≈'),
    ("loz", '◊'),
    ("starf", '★'),
    ("check", '✓'),
    ("num", '#'),
    ("commat", '@'),
    ("dollar", '$'),
    ("percnt", '%'),
];

/// Marks with HTML 5 names that differ from the mark's common name.
const MARKS: [(&str, char); 22] = [
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("rsqb", ']'),
    ("lcub", '{'),
    ("rcub", '}'),
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semi", ';'),
    ("excl", '!'),
    ("quest", '?'),
    ("plus", '+'),
    ("equals", '='),
    ("lowbar", '_'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("ast", '*'),
    ("vert", '|'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("hyphen", '‐'),
];

/// Greek letters from U+0391 and U+03B1; U+03A2 is empty.
const GREEK: [&str; 25] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "omicron", "pi", "rho", "sigmaf", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
];

/// windows-1252 for 128 to 159; unassigned places stay as they are.
const CP1252: [u16; 32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161,
    0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
];

/// Character of a named reference, without "&" and ";".
pub fn by_name(name: &str) -> Option<char> {
    // The most frequent ones first: pages hold them by the hundred.
    match name {
        "" => return None,
        "amp" => return Some('&'),
        "nbsp" => return Some('\u{A0}'),
        "quot" => return Some('"'),
        _ => {}
    }
    if let Some(at) = LATIN1.iter().position(|n| *n == name) {
        return char::from_u32(0xA0 + at as u32);
    }
    if let Some((_, c)) = OTHERS.iter().chain(&MARKS).find(|(n, _)| *n == name) {
        return Some(*c);
    }
    let lower = name.to_ascii_lowercase();
    let at = GREEK.iter().position(|n| *n == lower)? as u32;
    let base = if name.as_bytes()[0].is_ascii_uppercase() {
        0x391
    } else {
        0x3B1
    };
    char::from_u32(base + at)
}

/// Character of a numbered reference; what cannot stand in text becomes U+FFFD.
pub fn by_number(code: u32) -> char {
    let code = match code {
        128..=159 => u32::from(CP1252[(code - 128) as usize]),
        0 => 0xFFFD,
        other => other,
    };
    char::from_u32(code).unwrap_or('\u{FFFD}')
}
