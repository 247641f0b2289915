//! What all nodes have in common in their config files.

use contract::{Fatal, FatalCode};
use runtime::{KeyFiles, LogFormat};

use crate::{DirectoryUrl, FilePath, Home, Id, Key, Keys};

/// What every node is told.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its id.
    pub id: Id,
    /// Where it finds the network, and announces itself if it is part of that.
    pub directory: DirectoryUrl,
    /// How its log looks.
    pub log_format: LogFormat,
    private_key: FilePath,
    public_key: FilePath,
}

impl NodeConfig {
    /// Of the node in this folder, whose key is called `key_name`.
    pub fn new(home: &Home, key_name: &str) -> Self {
        let KeyFiles { private, public } = KeyFiles::in_folder(&home.data(), key_name);
        Self {
            id: home.id().clone(),
            directory: DirectoryUrl::default(),
            log_format: LogFormat::default(),
            private_key: FilePath::new(private),
            public_key: FilePath::new(public),
        }
    }

    /// Lets flags override what was said elsewhere.
    pub fn apply(&mut self, directory: Option<DirectoryUrl>) {
        if let Some(directory) = directory {
            self.directory = directory;
        }
    }

    /// Where its keys are.
    pub fn key_files(&self) -> KeyFiles {
        KeyFiles {
            private: self.private_key.as_path().to_owned(),
            public: self.public_key.as_path().to_owned(),
        }
    }

    /// Its id.
    pub fn id_key(&mut self, keys: &mut Keys<'_>) {
        let about = "What the node is called on this machine: the name of its folder";
        keys.text(Key::new("id", about).required(), &mut self.id);
    }

    /// The files of its key; `private` and `public` say under which names.
    pub fn key_file_keys(&mut self, keys: &mut Keys<'_>, private: Key, public: Key) {
        keys.text(private, &mut self.private_key);
        keys.text(public, &mut self.public_key);
    }

    /// The directory; `key` says under which names.
    pub fn directory_key(&mut self, keys: &mut Keys<'_>, key: Key) {
        keys.text(key, &mut self.directory);
    }

    /// The section about the log.
    pub fn logging_keys(&mut self, keys: &mut Keys<'_>) {
        keys.section("logging", &[], "The log, which goes to stderr");
        let about = "How its lines look: `text` for people or `json`. What it says is up to the \
                     variable RUST_LOG";
        keys.choice(Key::new("format", about), &mut self.log_format);
    }

    /// Refuses a file that was copied from another node, which would have its key too.
    pub(crate) fn check_id(&self, home: &Home) -> Result<(), Fatal> {
        if self.id == *home.id() {
            return Ok(());
        }
        let message = format!("the config file is of node `{}`, not `{}`", self.id, home.id());
        Err(Fatal::new(FatalCode::Usage, message)
            .hint("two nodes must not have one key: make another node with `init`"))
    }
}
