//! What may stand in a column, and how it becomes an Arrow array and comes back.
//!
//! Only types that DuckDB, Polars, pandas and BI tools all read alike: text, dictionary text, bool, signed
//! integers, floats, dates and timestamps.

use std::sync::Arc;

use anyhow::{Result, bail};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, BooleanBuilder, PrimitiveArray, PrimitiveBuilder,
    StringBuilder, StringDictionaryBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use jiff::Timestamp;
use jiff::civil::Date;

/// A type a column can have.
pub trait Cell: Sized + Default {
    /// Whether the column may hold nulls.
    const NULLABLE: bool = false;
    /// The values of a closed vocabulary, for the data dictionary.
    const VALUES: &'static [&'static str] = &[];
    /// The Arrow type.
    fn data_type() -> DataType;
    /// Cells, in order, to an array.
    fn encode(cells: &mut dyn Iterator<Item = &Self>) -> ArrayRef;
    /// An array to cells.
    ///
    /// # Errors
    /// The array has another type, or holds a null or a word that this type has no place for.
    fn decode(array: &ArrayRef) -> Result<Vec<Self>>;
}

/// A short word from an open vocabulary that knowledge defines, such as a country or a CAMEO code.
/// It is stored once and shared, and becomes dictionary text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(Arc<str>);

impl Code {
    /// The word itself.
    pub fn new(word: &str) -> Self {
        Self(word.into())
    }

    /// The word itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Code {
    fn default() -> Self {
        Self::new("")
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", &*self.0)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn wrong_type<T>(wanted: &DataType, found: &DataType) -> Result<T> {
    bail!("expected {wanted}, found {found}")
}

/// What both a cell and an optional cell are made of: a value that may be missing.
pub(super) trait Value: Sized {
    const WORDS: &'static [&'static str] = &[];
    fn arrow_type() -> DataType;
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef;
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>>;
}

impl<V: Value + Default> Cell for V {
    const VALUES: &'static [&'static str] = V::WORDS;
    fn data_type() -> DataType {
        V::arrow_type()
    }
    fn encode(cells: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        V::to_array(&mut cells.map(Some))
    }
    fn decode(array: &ArrayRef) -> Result<Vec<Self>> {
        let values = V::from_array(array)?;
        if values.iter().any(Option::is_none) {
            bail!("a null where a value must stand");
        }
        Ok(values.into_iter().flatten().collect())
    }
}

impl<V: Value> Cell for Option<V> {
    const NULLABLE: bool = true;
    const VALUES: &'static [&'static str] = V::WORDS;
    fn data_type() -> DataType {
        V::arrow_type()
    }
    fn encode(cells: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        V::to_array(&mut cells.map(Option::as_ref))
    }
    fn decode(array: &ArrayRef) -> Result<Vec<Self>> {
        V::from_array(array)
    }
}

impl Value for String {
    fn arrow_type() -> DataType {
        DataType::Utf8
    }
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
        let mut builder = StringBuilder::new();
        values.for_each(|value| builder.append_option(value));
        Arc::new(builder.finish())
    }
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        let Some(texts) = array.as_string_opt::<i32>() else {
            return wrong_type(&DataType::Utf8, array.data_type());
        };
        Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
    }
}

impl Value for Vec<u8> {
    fn arrow_type() -> DataType {
        DataType::Binary
    }
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
        let mut builder = BinaryBuilder::new();
        values.for_each(|value| builder.append_option(value));
        Arc::new(builder.finish())
    }
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        let Some(bytes) = array.as_binary_opt::<i32>() else {
            return wrong_type(&DataType::Binary, array.data_type());
        };
        Ok(bytes.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).collect())
    }
}

/// The Arrow type of dictionary text.
pub(super) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Words to dictionary text.
pub(super) fn words_to_array(words: &mut dyn Iterator<Item = Option<&str>>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    words.for_each(|word| builder.append_option(word));
    Arc::new(builder.finish())
}

/// Dictionary text to values, each word turned into a value once.
pub(super) fn words_from_array<V: Clone>(
    array: &ArrayRef,
    read: impl Fn(&str) -> Result<V>,
) -> Result<Vec<Option<V>>> {
    let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
        return wrong_type(&dictionary_type(), array.data_type());
    };
    let Some(words) = dictionary.values().as_string_opt::<i32>() else {
        return wrong_type(&dictionary_type(), array.data_type());
    };
    // A dictionary read across row groups may hold a null, or a word that no row uses.
    let values: Vec<Option<Result<V>>> = words.iter().map(|word| word.map(&read)).collect();
    let value = |key: i32| match &values[key as usize] {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value.clone())),
        Some(Err(error)) => bail!("{error:#}"),
    };
    dictionary
        .keys()
        .iter()
        .map(|key| key.map_or(Ok(None), value))
        .collect()
}

impl Value for Code {
    fn arrow_type() -> DataType {
        dictionary_type()
    }
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
        words_to_array(&mut values.map(|code| code.map(Code::as_str)))
    }
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        words_from_array(array, |word| Ok(Self::new(word)))
    }
}

impl Value for bool {
    fn arrow_type() -> DataType {
        DataType::Boolean
    }
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
        let mut builder = BooleanBuilder::new();
        values.for_each(|value| builder.append_option(value.copied()));
        Arc::new(builder.finish())
    }
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        let Some(flags): Option<&BooleanArray> = array.as_boolean_opt() else {
            return wrong_type(&DataType::Boolean, array.data_type());
        };
        Ok(flags.iter().collect())
    }
}

fn numbers_to_array<T: ArrowPrimitiveType>(
    values: &mut dyn Iterator<Item = Option<T::Native>>,
    data_type: DataType,
) -> ArrayRef {
    let mut builder = PrimitiveBuilder::<T>::new().with_data_type(data_type);
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

fn numbers_from_array<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<Vec<Option<T::Native>>> {
    let Some(numbers): Option<&PrimitiveArray<T>> = array.as_primitive_opt() else {
        return wrong_type(&T::DATA_TYPE, array.data_type());
    };
    Ok(numbers.iter().collect())
}

macro_rules! number_value {
    ($($native:ty => $arrow:ty),+) => {$(
        impl Value for $native {
            fn arrow_type() -> DataType {
                <$arrow>::DATA_TYPE
            }
            fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
                numbers_to_array::<$arrow>(&mut values.map(|value| value.copied()), <$arrow>::DATA_TYPE)
            }
            fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
                numbers_from_array::<$arrow>(array)
            }
        }
    )+};
}

number_value!(i32 => Int32Type, i64 => Int64Type, f32 => Float32Type, f64 => Float64Type);

impl Value for Timestamp {
    fn arrow_type() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
        let mut micros = values.map(|value| value.map(|at| at.as_microsecond()));
        numbers_to_array::<TimestampMicrosecondType>(&mut micros, Self::arrow_type())
    }
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        let micros = numbers_from_array::<TimestampMicrosecondType>(array)?;
        micros
            .into_iter()
            .map(|at| Ok(at.map(Self::from_microsecond).transpose()?))
            .collect()
    }
}

/// Day 0 of Arrow's `date32`.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

impl Value for Date {
    fn arrow_type() -> DataType {
        DataType::Date32
    }
    fn to_array(values: &mut dyn Iterator<Item = Option<&Self>>) -> ArrayRef {
        // A span between two dates of the supported years has at most some millions of days.
        let mut days = values.map(|day| day.map(|day| EPOCH.until(*day).map_or(0, |span| span.get_days())));
        numbers_to_array::<Date32Type>(&mut days, DataType::Date32)
    }
    fn from_array(array: &ArrayRef) -> Result<Vec<Option<Self>>> {
        let days = numbers_from_array::<Date32Type>(array)?;
        let to_date = |days: i32| EPOCH.checked_add(jiff::Span::new().try_days(days)?);
        days.into_iter()
            .map(|day| Ok(day.map(to_date).transpose()?))
            .collect()
    }
}
