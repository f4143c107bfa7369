//! Rows as CSV (RFC 4180) or NDJSON, gzipped where the client takes it.

use std::io::Write;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use flate2::{Compression, write::GzEncoder};
use schemars::JsonSchema;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    api::{
        coding,
        document::{Described, Draft},
    },
    clock::Time,
    input::{Fields, Message, Raw, rules},
};

/// What one response may carry, encoded.
const MAX_BYTES: usize = 4_000_000;

/// How rows are written.
#[derive(Debug, Clone, JsonSchema)]
pub struct Format {
    /// Names of columns, comma-separated, in the order wanted; all by default.
    #[schemars(with = "String")]
    columns: Vec<usize>,
    /// What stands between values.
    #[schemars(with = "String", extend("enum" = [",", ";", "|", "tab"], "default" = ","))]
    delimiter: u8,
    /// Whether the file begins with a byte-order mark, which some spreadsheets need.
    #[schemars(extend("default" = false))]
    bom: bool,
    /// The IANA zone in which times are written.
    #[schemars(with = "String", extend("default" = "UTC"))]
    tz: Tz,
    /// What the file is.
    #[schemars(extend("enum" = ["csv", "ndjson"], "default" = "csv"))]
    format: String,
    #[schemars(skip)]
    names: &'static [&'static str],
}

impl Format {
    /// Reads `columns, delimiter, bom, tz` and `format` for a file of these columns.
    pub fn read(fields: &mut Fields<'_>, names: &'static [&'static str]) -> Self {
        let columns = |raw: &Raw<'_>| {
            let wanted = raw.text()?.split(',').map(|name| {
                let known = || Message::Owned(format!("must be among: {}", names.join(", ")));
                names.iter().position(|known| *known == name.trim()).ok_or_else(known)
            });
            wanted.collect::<Result<Vec<_>, _>>()
        };
        let delimiter = |raw: &Raw<'_>| match raw.text()? {
            "tab" | "\\t" | "\t" => Ok(b'\t'),
            text => match text.as_bytes() {
                [byte @ (b',' | b';' | b'|')] => Ok(*byte),
                _ => Err(Message::Borrowed("must be one of: , ; | tab")),
            },
        };
        let zone = |raw: &Raw<'_>| {
            raw.text()?.parse::<Tz>().map_err(|_| Message::Borrowed("must be an IANA time zone such as America/Sao_Paulo"))
        };
        Self {
            columns: fields.default("columns", (0..names.len()).collect(), columns),
            delimiter: fields.verbatim("delimiter", b',', delimiter),
            bom: fields.default("bom", false, rules::boolean),
            tz: fields.default("tz", Tz::UTC, zone),
            format: fields.default("format", "csv".into(), rules::one_of(&["csv", "ndjson"])),
            names,
        }
    }

    fn is_csv(&self) -> bool {
        self.format == "csv"
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Empty,
    Plain(String),
    Text(String),
    Number(u64),
    Time(Time),
}

impl Cell {
    /// A value of ours, which no spreadsheet runs.
    pub fn plain(value: &impl ToString) -> Self {
        Self(Kind::Plain(value.to_string()))
    }

    /// Free text, which a spreadsheet might run as a formula.
    pub fn text(value: Option<&String>) -> Self {
        Self(value.map_or(Kind::Empty, |text| Kind::Text(text.clone())))
    }

    /// A number.
    pub fn number(value: Option<u64>) -> Self {
        Self(value.map_or(Kind::Empty, Kind::Number))
    }

    /// A moment.
    pub fn time(value: Option<Time>) -> Self {
        Self(value.map_or(Kind::Empty, Kind::Time))
    }

    fn csv(&self, tz: Tz) -> String {
        match &self.0 {
            Kind::Empty => String::new(),
            Kind::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => format!("'{text}"),
            Kind::Plain(text) | Kind::Text(text) => text.clone(),
            Kind::Number(number) => number.to_string(),
            Kind::Time(at) => moment(*at, tz),
        }
    }

    fn json(&self, tz: Tz) -> Value {
        match &self.0 {
            Kind::Empty => Value::Null,
            Kind::Plain(text) | Kind::Text(text) => Value::String(text.clone()),
            Kind::Number(number) => (*number).into(),
            Kind::Time(at) => Value::String(moment(*at, tz)),
        }
    }
}

fn moment(at: Time, tz: Tz) -> String {
    at.utc().with_timezone(&tz).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A file while it is written.
pub struct Sheet {
    name: &'static str,
    format: Format,
    out: Out,
}

/// Where bytes go.
enum Out {
    Straight(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Out {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match self {
            Self::Straight(buffer) => buffer.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        };
        written.map_err(|e| Error::internal("export", e))
    }

    fn len(&self) -> usize {
        match self {
            Self::Straight(buffer) => buffer.len(),
            Self::Gzip(encoder) => encoder.get_ref().len(),
        }
    }
}

impl Sheet {
    /// A file with its head.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn new(name: &'static str, format: &Format, headers: &HeaderMap) -> Result<Self> {
        let out = if coding::takes_gzip(headers) {
            Out::Gzip(GzEncoder::new(Vec::new(), Compression::new(6)))
        } else {
            Out::Straight(Vec::new())
        };
        let mut sheet = Self { name, format: format.clone(), out };
        if sheet.format.is_csv() {
            if sheet.format.bom {
                sheet.out.write("\u{feff}".as_bytes())?;
            }
            let head: Vec<&str> = sheet.format.columns.iter().map(|column| sheet.format.names[*column]).collect();
            sheet.record(head)?;
        }
        Ok(sheet)
    }

    /// One more row; `cells` are all of the file's columns.
    ///
    /// # Errors
    /// [`Error::Refused`] when the file is larger than one response may be.
    pub fn row(&mut self, cells: &[Cell]) -> Result<()> {
        let tz = self.format.tz;
        if self.format.is_csv() {
            let record: Vec<String> = self.format.columns.iter().map(|column| cells[*column].csv(tz)).collect();
            self.record(record)?;
        } else {
            let members: Vec<String> = self
                .format
                .columns
                .iter()
                .map(|column| format!("{}:{}", Value::from(self.format.names[*column]), cells[*column].json(tz)))
                .collect();
            let line = format!("{{{}}}\n", members.join(","));
            self.out.write(line.as_bytes())?;
        }
        if self.out.len() > MAX_BYTES {
            return Err(Error::Refused("The export is larger than one response may be; narrow date_from and date_to".into()));
        }
        Ok(())
    }

    /// The file, named after the day.
    ///
    /// # Errors
    /// As [`Sheet::row`].
    pub fn finish(self, now: Time) -> Result<File> {
        let (bytes, gzip) = match self.out {
            Out::Straight(buffer) => (buffer, false),
            Out::Gzip(encoder) => (encoder.finish().map_err(|e| Error::internal("export", e))?, true),
        };
        let csv = self.format.is_csv();
        let day = now.utc().date_naive();
        let name = format!("{}-{day}.{}", self.name, self.format.format);
        Ok(File { bytes, gzip, name, media: if csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" } })
    }

    fn record<T: AsRef<[u8]>>(&mut self, values: impl IntoIterator<Item = T>) -> Result<()> {
        let mut writer =
            csv::WriterBuilder::new().delimiter(self.format.delimiter).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(values).map_err(|e| Error::internal("csv", e))?;
        let line = writer.into_inner().map_err(|e| Error::internal("csv", e))?;
        self.out.write(&line)
    }
}

/// A file that is ready.
#[derive(Debug)]
pub struct File {
    bytes: Vec<u8>,
    gzip: bool,
    name: String,
    media: &'static str,
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::OK, Body::from(self.bytes)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", self.name)) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

impl Described for File {
    fn describe(draft: &mut Draft<'_>) {
        let text = json!({ "schema": { "type": "string" } });
        let content = json!({ "text/csv": text, "application/x-ndjson": text });
        draft.answers(200, "The file.", &["Content-Disposition"], &content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_quoted() {
        let csv = |text: &str| Cell::text(Some(&text.to_owned())).csv(Tz::UTC);
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"] {
            assert_eq!(csv(formula), format!("'{formula}"));
        }
        assert_eq!(csv("João = Maria"), "João = Maria");
        assert_eq!(Cell::plain(&"+5511999998888").csv(Tz::UTC), "+5511999998888");
        assert_eq!(Cell::number(Some(5)).csv(Tz::UTC), "5");
    }

    #[test]
    fn times_are_written_in_the_zone_asked_for() {
        let at = Cell::time(Some(Time::from_epoch(1_771_165_800)));
        assert_eq!(at.csv(Tz::UTC), "2026-02-15T14:30:00Z");
        assert_eq!(at.csv(Tz::America__Sao_Paulo), "2026-02-15T11:30:00-03:00");
    }
}
