//! `completions` and `man`.

use std::io::{self, Write as _};

use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit::{Exit, Failure};
use crate::flags;

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut flags::command(), "hubmill", &mut text);
    print(&text)
}

/// Prints the manual page, all commands in one.
pub(crate) fn man() -> Result<Exit, Failure> {
    let mut text = Vec::new();
    render(&mut text).map_err(Failure::storage)?;
    print(&text)
}

fn render(text: &mut Vec<u8>) -> io::Result<()> {
    let mut command = flags::command();
    command.build();
    let page = Man::new(command.clone());
    page.render_title(text)?;
    page.render_name_section(text)?;
    page.render_synopsis_section(text)?;
    page.render_description_section(text)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        writeln!(text, ".SH \"HUBMILL {}\"", subcommand.get_name().to_uppercase())?;
        let page = Man::new(subcommand.clone());
        page.render_description_section(text)?;
        page.render_options_section(text)?;
    }
    page.render_version_section(text)
}

/// Writes a text to standard output. That nobody reads it is no error.
pub(crate) fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::storage(error)),
        _ => Ok(Exit::Done),
    }
}
