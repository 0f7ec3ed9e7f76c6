//! Defaults, then the file, then the environment, then flags: the later wins.

use std::path::Path;

use figment::Figment;
use figment::error::{Error, Kind};
use figment::providers::{Format, Serialized, Toml};
use serde::Serialize;

use super::env::EnvLayer;
use super::raw::{Defaults, RawSettings};
use super::{Settings, SettingsError, check};

/// Everything that settings are made of.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The settings file's name, for complaints about it.
    pub file_name: String,
    /// What it says.
    pub file_text: String,
    /// Every environment variable.
    pub env: Vec<(String, String)>,
    /// What the command line said.
    pub flags: Flags,
}

/// Settings that the command line may give.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flags {
    /// Where to listen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Which database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// How log lines are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Whether to serve the demo.
    #[serde(skip)]
    pub demo: bool,
}

impl Sources {
    /// Reads the file and the process's environment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path, flags: Flags) -> Result<Self, SettingsError> {
        let file_name = path.display().to_string();
        let file_text = std::fs::read_to_string(path).map_err(|error| {
            let problem = format!("cannot be read ({error}); name the settings file with --config");
            SettingsError::new(&file_name, problem)
        })?;
        Ok(Self::of_text(&file_name, file_text, flags))
    }

    /// Takes `file_text` for what the file says, and reads the process's environment.
    pub fn of_text(file_name: &str, file_text: String, flags: Flags) -> Self {
        // What is not UTF-8 is no setting of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let env = std::env::vars_os().filter_map(text).collect();
        Self { file_name: file_name.to_owned(), file_text, env, flags }
    }

    /// Puts the sources together and checks the whole.
    ///
    /// # Errors
    /// The first thing that is wrong: its key, and the mend.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let env = self.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let file =
            Figment::from(Serialized::defaults(Defaults::ALL)).merge(Toml::string(&self.file_text));
        // What is wrong in the file is wrong also where something stands over it: the start must not
        // depend on who else says what.
        self.read_shape(&file)?;
        let whole = file.merge(EnvLayer::new(env)?).merge(Serialized::defaults(&self.flags));
        check::settings(self.read_shape(&whole)?, self)
    }

    fn read_shape(&self, layers: &Figment) -> Result<RawSettings, SettingsError> {
        layers.extract().map_err(|error| self.explain(&error))
    }

    /// The value of an environment variable that the settings name.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.env.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A sentence for what does not have the right shape. Values are left out of it: the wrong one
    /// may be a secret that stands under the wrong key.
    fn explain(&self, error: &Error) -> SettingsError {
        let metadata = error.metadata.as_ref();
        let from_env = metadata.is_some_and(|it| it.name == "the environment");
        let mut path = error.path.clone();
        let problem = match &error.kind {
            Kind::UnknownField(name, known) => {
                if path.last() != Some(name) {
                    path.push(name.clone());
                }
                format!("is no setting; take it out, or use one of {}", known.join(", "))
            }
            Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
            Kind::MissingField(name) => {
                path.push(name.to_string());
                "is missing; add it".to_owned()
            }
            Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
                let shape = check::shape_of(&path.join("."));
                format!("must be {}", shape.as_deref().unwrap_or_else(|| plain(expected)))
            }
            Kind::InvalidLength(length, expected) => {
                format!("has {length} parts and must be {}", plain(expected))
            }
            other => format!("cannot be read: {}", without_excerpt(&other.to_string())),
        };
        let place = match (from_env, path.is_empty()) {
            (true, _) => format!("TRUEUP_{}", path.join(".").to_ascii_uppercase()),
            (false, true) => self.file_name.clone(),
            (false, false) => path.join("."),
        };
        SettingsError::new(place, problem)
    }
}

/// The place and the reason, without the line of the file that stands between them.
fn without_excerpt(complaint: &str) -> String {
    let mut lines = complaint.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next_back()) {
        (Some(place), Some(reason)) => format!("{place}: {reason}"),
        (first, _) => first.unwrap_or_default().to_owned(),
    }
}

/// Rust's words for types, in an operator's.
fn plain(expected: &str) -> &str {
    match expected {
        "u64" | "u32" | "u16" => "a whole number from 0",
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}
