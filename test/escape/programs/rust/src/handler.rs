//! Tries to escape from its sandbox: one attempt per call.

use axum::body::Body;
use axum::extract::Request;
use http::Response;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_long, c_ulong, c_void};
use std::fs;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn mount(source: *const c_char, target: *const c_char, kind: *const c_char, flags: c_ulong, data: *const c_void) -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
    fn setuid(user: u32) -> c_int;
    fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn close(fd: c_int) -> c_int;
}

#[cfg(target_arch = "x86_64")]
const NUMBERS: [(&str, c_long); 5] = [("bpf", 321), ("keyctl", 250), ("ptrace", 101), ("unshare", 272), ("io_uring", 425)];
#[cfg(target_arch = "aarch64")]
const NUMBERS: [(&str, c_long); 5] = [("bpf", 280), ("keyctl", 219), ("ptrace", 117), ("unshare", 97), ("io_uring", 425)];

static ALLOCATED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

type Query = HashMap<String, String>;

fn number(name: &str) -> c_long {
    NUMBERS.iter().find(|(known, _)| *known == name).map_or(-1, |(_, number)| *number)
}

fn check(result: c_long) -> Result<()> {
    if result < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

fn open(family: c_int, kind: c_int, protocol: c_int) -> Result<()> {
    let fd = unsafe { socket(family, kind, protocol) };
    check(fd.into())?;
    check(unsafe { close(fd) }.into())
}

fn reach(address: &str) -> Result<()> {
    let to = address.parse().map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    TcpStream::connect_timeout(&to, Duration::from_secs(2)).map(|_| ())
}

fn echo(mut stream: UnixStream) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"escape")?;
    stream.read_exact(&mut [0; 6])
}

fn udp(address: &str) -> Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    socket.send_to(b"escape", address)?;
    socket.recv(&mut [0; 64]).map(|_| ())
}

fn forks(limit: usize) -> Result<()> {
    let mut children: Vec<Child> = Vec::new();
    let mut result = Ok(());
    while children.len() < limit && result.is_ok() {
        match Command::new("/bin/sleep").arg("20").stdin(Stdio::null()).spawn() {
            Ok(child) => children.push(child),
            Err(error) => result = Err(error),
        }
    }
    for child in &mut children {
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

fn disk(limit: usize) -> Result<()> {
    let path = std::env::temp_dir().join("fill");
    let result = fs::File::create(&path).and_then(|mut file| (0..limit).try_for_each(|_| file.write_all(&[1; 1 << 20])));
    fs::remove_file(path)?;
    result
}

fn memory(limit: usize) -> Result<()> {
    for _ in 0..limit {
        ALLOCATED.lock().unwrap().push(vec![1; 1 << 20]);
    }
    Ok(())
}

/// Makes a call in a child before its exec. A process with threads cannot unshare a user
/// namespace, and a traced process does not end before its tracer.
fn call_in_child(number: c_long, argument: c_long) -> Result<()> {
    let mut command = Command::new("/bin/true");
    unsafe { command.pre_exec(move || check(syscall(number, argument, 0, 0, 0))) };
    let mut child = command.spawn()?;
    let _ = child.kill();
    child.wait().map(|_| ())
}

fn attempt(name: &str, query: &Query) -> Option<Result<()>> {
    let get = |key: &str| query.get(key).cloned().unwrap_or_default();
    let count = |key: &str| get(key).parse().unwrap_or(0);
    let call = |name: &str, a: c_long, b: c_long, c: c_long| check(unsafe { syscall(number(name), a, b, c) });
    Some(match name {
        "file" => fs::read(get("file")).map(|_| ()),
        "code" => fs::read_dir(get("code")).map(|_| ()),
        "proc" => fs::read(format!("/proc/{}/environ", get("pid"))).map(|_| ()),
        "kill" => check(unsafe { kill(count("pid") as c_int, 0) }.into()),
        "tcp" => reach(&get("tcp")),
        "host" => reach(&get("host")),
        "mptcp" => open(2, 1, 262),
        "udp" => udp(&get("udp")),
        "path" => UnixStream::connect(get("path")).and_then(echo),
        "abstract" => SocketAddr::from_abstract_name(get("abstract")).and_then(|to| UnixStream::connect_addr(&to)).and_then(echo),
        "metadata" => reach("169.254.169.254:80"),
        "raw" => open(2, 3, 1),
        "forks" => forks(count("forks")),
        "disk" => disk(count("disk")),
        "memory" => memory(count("memory")),
        "mount" => check(unsafe { mount(c"tmpfs".as_ptr(), c"/tmp".as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null()) }.into()),
        "ptrace" => call_in_child(number("ptrace"), 0),
        "setuid" => check(unsafe { setuid(0) }.into()),
        "io_uring" => call("io_uring", 1, [0u32; 64].as_mut_ptr() as c_long, 0),
        "keyctl" => call("keyctl", 0, -3, 1),
        "bpf" => {
            // This creates a map.
            let mut attributes = [0u32; 32];
            attributes[..4].copy_from_slice(&[2, 4, 8, 1]);
            call("bpf", 0, attributes.as_mut_ptr() as c_long, 72)
        }
        "unshare" => call_in_child(number("unshare"), 0x1000_0000 | 0x0002_0000),
        _ => return None,
    })
}

fn decode(text: &str) -> String {
    text.replace("%2F", "/").replace("%3A", ":")
}

pub async fn handle(req: Request<Body>) -> Response<Body> {
    let query: Query = req
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_string(), decode(value)))
        .collect();
    let name = req.uri().path().trim_start_matches('/').to_string();
    let text = match attempt(&name, &query) {
        None => "ordinary".to_string(),
        Some(Ok(())) => "OPEN".to_string(),
        Some(Err(error)) => format!("blocked: {error}"),
    };
    Response::new(Body::from(text))
}
