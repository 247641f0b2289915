//! Links the program at a fixed address on Linux.
//!
//! A program that can be loaded anywhere has its tables of functions and texts written anew in each of
//! its processes: 600 KB that they cannot share, in some 35 000 places that the loader writes to at every
//! start. A devnet is a dozen processes of this program, or a hundred.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}"));
    if target("OS").as_deref() == Ok("linux") && target("ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
