"""`python -m actum.cli` is `actum`."""

from actum.cli.main import main

if __name__ == "__main__":
    main(prog_name="actum")
