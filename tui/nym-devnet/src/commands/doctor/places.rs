//! The folder of all devnets: writable, on what kind of disk, with how much room, and not too deep for a
//! socket.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{Access, access, statvfs};
use supervisor::FolderError;

use super::Check;
use crate::context::Context;
use crate::output::bytes;

/// Below this a client or a provider cannot set aside what it needs to go on with a full disk: 4 MB for
/// a client, 16 MB for a provider.
const TOO_LITTLE_BYTES: u64 = 64 << 20;

/// Below this a busy devnet can fill it: a log takes up to 16 MB, and there are a dozen.
const LITTLE_BYTES: u64 = 1 << 30;

pub(super) fn checks(context: &Context) -> Vec<Check> {
    let path = context.state_dir.path();
    // What is not there yet is created in the nearest that is.
    let nearest = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    vec![folder(path, nearest), disk(nearest), socket(context)]
}

fn folder(path: &Path, nearest: &Path) -> Check {
    const MEND: &str = "name a folder that you can write to with --state-dir";
    let shown = path.display();
    if let Err(error) = access(nearest, Access::WRITE_OK | Access::EXEC_OK) {
        let cause = io::Error::from(error);
        return Check::fail(
            "folder",
            format!("{} cannot be written: {cause}", nearest.display()),
            MEND,
        );
    }
    if nearest == path {
        // Rights are not all: only a file tells that a disk is mounted for reading, or has no room.
        let file = path.join(format!(".doctor.{}", std::process::id()));
        if let Err(error) = File::create_new(&file).and_then(|_| fs::remove_file(&file)) {
            return Check::fail("folder", format!("{shown} cannot be written: {error}"), MEND);
        }
        return Check::ok("folder", format!("{shown} can be written"));
    }
    Check::ok("folder", format!("{shown} is not there yet, and can be created"))
}

fn disk(path: &Path) -> Check {
    let found = match statvfs(path) {
        Ok(found) => found,
        Err(error) => {
            let found = format!("its free space cannot be read: {}", io::Error::from(error));
            return Check::warn("disk", found, "see that there is a gigabyte");
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let kind = kind(path);
    let what = match &kind {
        Some(kind) => format!("{} free on {}", bytes(free), kind.name),
        None => format!("{} free", bytes(free)),
    };
    if free < TOO_LITTLE_BYTES {
        return Check::fail("disk", what, "make room, or name another disk with --state-dir");
    }
    if kind.is_some_and(|kind| kind.is_remote) {
        let mend = "locks and databases are not safe there; name a folder on this machine with \
            --state-dir";
        return Check::warn("disk", what, mend);
    }
    if free < LITTLE_BYTES {
        let mend =
            "a busy devnet can fill that with logs and mailboxes; `nym-devnet gc` makes room";
        return Check::warn("disk", what, mend);
    }
    Check::ok("disk", what)
}

/// A kind of file system.
struct Kind {
    name: &'static str,
    is_remote: bool,
}

/// The kinds that matter here; the numbers are those of `linux/magic.h` and of the file systems.
#[cfg(target_os = "linux")]
fn kind(path: &Path) -> Option<Kind> {
    let found = rustix::fs::statfs(path).ok()?;
    let (name, is_remote) = match u64::try_from(found.f_type).ok()? {
        0xef53 => ("ext4", false),
        0x5846_5342 => ("XFS", false),
        0x9123_683e => ("Btrfs", false),
        0x2fc1_2fc1 => ("ZFS", false),
        0xf2f5_2010 => ("F2FS", false),
        0x794c_7630 => ("overlayfs", false),
        0x0102_1994 => {
            ("tmpfs, which is memory and is empty after a restart of the machine", false)
        }
        0x6969 => ("NFS", true),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => ("SMB", true),
        0x0102_1997 => ("9P", true),
        0x00c3_6400 => ("Ceph", true),
        _ => return None,
    };
    Some(Kind { name, is_remote })
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> Option<Kind> {
    None
}

fn socket(context: &Context) -> Check {
    let name = context.name();
    let checked = context.state_dir.folder(name).and_then(|folder| folder.check_socket_path());
    match checked {
        Ok(left) => {
            let found = format!("the path of the control socket has room for {left} bytes more");
            Check::ok("socket", found)
        }
        Err(error @ FolderError::SocketPath { .. }) => {
            Check::fail("socket", error.to_string(), "name a shorter folder with --state-dir")
        }
        Err(error) => Check::fail("socket", error.to_string(), "choose another --name"),
    }
}
