/// The texts of `help` and `--help`.
enum Help {
    static let program = """
        Lychgate stands before one HTTP backend that keeps its sessions in memory, and turns a
        restart of the backend into one clean 401 for every session that it lost.

        Usage:
          lychgate run   [--config FILE] [--listen ADDR] [--upstream URL] [--workers N]
          lychgate check [--config FILE]
          lychgate version
          lychgate help  [COMMAND]

        Commands:
          run      serve until told to stop
          check    say what is wrong with a configuration file, and what was meant
          version  print the version
          help     print this, or the help of a command

        To try it:
          lychgate run --upstream http://127.0.0.1:8000

        Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage.

        """

    static let run = """
        Usage: lychgate run [--config FILE] [--listen ADDR] [--upstream URL] [--workers N]

        Serves until SIGTERM or SIGINT. A flag counts more than what the file says. Without a
        file every setting has its default, and --upstream is needed.

          --config FILE    the configuration, in YAML; without it no file is read
          --listen ADDR    where clients connect: host:port, [v6]:port or unix:/path
                           (default 127.0.0.1:8080)
          --upstream URL   the backend: http://host:port or unix:/path
          --workers N      event loops, 1 to 256 (default: one for each core)
          -h, --help       print this

        Exit codes: 0 stopped as asked, 1 failed (says why), 2 wrong usage.

        """

    static let check = """
        Usage: lychgate check --config FILE

        Reads a configuration file and prints everything that is wrong with it, each as
        FILE:LINE:COLUMN: what was expected, what stands there, and what was probably meant.
        Nothing is started, and nothing is connected to.

          --config FILE    the configuration, in YAML
          -h, --help       print this

        Exit codes: 0 the file is good, 1 it is not, 2 wrong usage.

        """

    static let version = """
        Usage: lychgate version

        Prints the version.

          -h, --help       print this

        """
}
