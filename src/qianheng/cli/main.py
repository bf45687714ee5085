"""`qianheng`: the commands, the language, and how an error reaches a person."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import cast, get_args

from qianheng.core.errors import BadInput, QianhengError
from qianheng.core.words import Language, language_of_environment, say, speak


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 the answer is no or a part failed, 2 wrong use or bad input."""
    arguments = _choose_language(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese is no reason to fail
    from typer import Abort

    from qianheng.cli.app import build_app
    from qianheng.cli.click_words import complaint

    try:
        sys.exit(build_app()(args=arguments, prog_name="qianheng", standalone_mode=False) or 0)
    except Abort:
        sys.stderr.write(f"{say('click.aborted')}\n")
        sys.exit(1)
    except QianhengError as error:
        sys.stderr.write(f"qianheng: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"qianheng: {_of_the_system(error)}\n")
        sys.exit(2)
    except Exception as error:
        if hasattr(error, "show"):  # of the library of the command line
            sys.stderr.write(f"{told}\n" if (told := complaint(error)) else "")
            sys.exit(getattr(error, "exit_code", 2))
        if not _of_the_database(error):
            raise
        why = getattr(error, "orig", None) or error
        sys.stderr.write(f"qianheng: {BadInput('cli.database_refused', why=why)}\n")
        sys.exit(2)


def _of_the_database(error: Exception) -> bool:
    """Whether the database could not do something (a full disk, a lost connection); most commands never load it."""
    known = sys.modules.get("sqlalchemy.exc")
    return known is not None and isinstance(error, known.OperationalError)


def _of_the_system(error: OSError) -> QianhengError:
    """What the system refused (a full disk, no more files), in a sentence."""
    place = str(error.filename) if error.filename else ""
    return BadInput("cli.system_refused", place=place, why=error.strerror or error)


def _choose_language(arguments: list[str]) -> list[str]:
    """Speak the language of `--lang`, given anywhere, or of the environment; the arguments without it."""
    rest: list[str] = []
    chosen = language_of_environment()
    words = iter(arguments)
    for word in words:
        if word == "--lang" or word.startswith("--lang="):
            value = word.partition("=")[2] or next(words, "")
            if value not in get_args(Language):
                sys.stderr.write(f"qianheng: --lang: {value!r}; expected one of {', '.join(get_args(Language))}\n")
                sys.exit(2)
            chosen = cast(Language, value)
        else:
            rest.append(word)
    speak(chosen)
    return rest


if __name__ == "__main__":
    main()
