//! `ask-tell`: the search engine for programs that evaluate points themselves. It needs no workspace and keeps nothing.

use std::io::{ErrorKind, stdin, stdout};

use crate::error::{Error, Result};

pub fn ask_tell() -> Result<()> {
    match medalist_search::converse(stdin().lock(), stdout().lock()) {
        // A reader that has gone ends the conversation as the end of its lines does.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::unexpected(error.to_string())),
        _ => Ok(()),
    }
}
