//! Calls host functions for ever, the one that the argument names. Each costs fuel whether or not it succeeds, so that
//! no call is a cheap way to keep a host busy. Outcome: the limit on fuel, soon.

use samebit_plugin_testing::bindings::samebit::job::{data, gpu, report};
use samebit_plugin_testing::bindings::wasi::{cli, clocks, filesystem, io, random, sockets};
use samebit_plugin_testing::gpu::{COPY, along_x, buffer, kernel};

samebit_plugin_testing::guest!(run);

fn run(args: Vec<String>) -> Result<(), String> {
    let name = args.first().ok_or("the name of a call is needed")?;
    match name.as_str() {
        "progress" => forever(|| report::progress(u64::MAX, 0)),
        "inputs" => forever(data::inputs),
        "input-size" => forever(|| data::input_size("nobody")),
        "input-read" => forever(|| data::input_read("nobody", 0, u64::MAX)),
        "output-append" => forever(|| data::output_append("no name", b"x")),
        "clock" => forever(clocks::wall_clock::now),
        "random" => forever(|| random::random::get_random_bytes(1 << 20)),
        "random-u64" => forever(random::insecure::get_insecure_random_u64),
        "seed" => forever(random::insecure_seed::insecure_seed),
        "environment" => forever(cli::environment::get_environment),
        "arguments" => forever(cli::environment::get_arguments),
        "preopens" => forever(filesystem::preopens::get_directories),
        "terminal" => forever(cli::terminal_stdout::get_terminal_stdout),
        "streams" => forever(cli::stdout::get_stdout),
        _ => handles(name),
    }
}

/// Calls that need a handle.
fn handles(name: &str) -> Result<(), String> {
    match name {
        "read" => {
            let stdin = cli::stdin::get_stdin();
            forever(|| stdin.read(u64::MAX))
        }
        "write" => {
            let (stdout, bytes) = (cli::stdout::get_stdout(), vec![0; 1 << 20]);
            forever(|| stdout.write(&bytes[..0]))
        }
        "timer" => forever(|| clocks::monotonic_clock::subscribe_duration(1).block()),
        "poll" => {
            let timer = clocks::monotonic_clock::subscribe_duration(1);
            let list = vec![&timer; 10_000];
            forever(|| io::poll::poll(&list))
        }
        "socket" => forever(|| sockets::tcp_create_socket::create_tcp_socket(sockets::network::IpAddressFamily::Ipv4)),
        "buffer" => forever(|| gpu::Buffer::create(3)),
        "buffer-read" => {
            let buffer = buffer(16)?;
            forever(|| buffer.read(0, u64::MAX))
        }
        "kernel" => forever(|| kernel("no kernel")),
        "kernel-drop" => forever(|| kernel(COPY)),
        "bindings" => {
            let (kernel, buffer) = (kernel(COPY)?, buffer(16)?);
            let binding = gpu::Binding { group: 9, binding: 9, buffer: &buffer, offset: 0, size: None };
            let list: Vec<_> = (0..10_000).map(|_| gpu::Binding { ..binding }).collect();
            forever(|| gpu::dispatch(&kernel, &list, along_x(1)))
        }
        "constants" => {
            let constants = vec![("nobody".to_owned(), 1.0); 100_000];
            let wgsl = COPY.to_owned();
            let descriptor = gpu::KernelDescriptor { wgsl, entry_point: "main".to_owned(), constants };
            forever(|| gpu::Kernel::create(&descriptor))
        }
        _ => Err(format!("no call is called {name}")),
    }
}

fn forever<T>(mut call: impl FnMut() -> T) -> ! {
    loop {
        let _ = call();
    }
}
