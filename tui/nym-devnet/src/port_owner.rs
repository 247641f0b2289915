//! Who listens at a port of this machine.

/// Who listens at that port, if that can be seen.
#[cfg(target_os = "linux")]
pub(crate) fn owner(port: u16) -> Option<String> {
    use std::fs;

    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .collect();
    let sockets: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    for process in processes {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // Of other users' processes this cannot be read.
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        let mut links = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        if links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str())) {
            let command = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{}, process {pid}", control::visible(command.trim_end())));
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn owner(_: u16) -> Option<String> {
    None
}

/// Numbers of the sockets that listen at that port, out of a table as in `/proc/net/tcp`: the second
/// column is the local address, the fourth the state (`0A` is listening), the tenth the socket.
#[cfg(target_os = "linux")]
fn listeners(table: &str, port: u16) -> Vec<String> {
    let port = format!("{port:04X}");
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|row| match row.as_slice() {
        [_, local, _, "0A", _, _, _, _, _, inode, ..]
            if local.rsplit(':').next() == Some(port.as_str()) =>
        {
            Some((*inode).to_owned())
        }
        _ => None,
    })
    .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn who_has_a_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let owner = owner(port).expect("it is this process");
        assert!(owner.ends_with(&format!(", process {}", std::process::id())), "{owner}");
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 77 1 0\n   \
            1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 78 1 0\n";
        assert_eq!(listeners(table, 8080), ["77"]);
        assert_eq!(listeners(table, 8081), [] as [&str; 0]);
    }
}
