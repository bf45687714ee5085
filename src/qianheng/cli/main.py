"""`qianheng`: the commands, the language, and how an error reaches a person."""

from __future__ import annotations

import sys
from typing import cast, get_args

from qianheng.core.errors import QianhengError
from qianheng.core.words import Language, language_of_environment, speak


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 the answer is no or a part failed, 2 wrong use or bad input."""
    arguments = _choose_language(sys.argv[1:])
    from qianheng.cli.app import build_app

    try:
        build_app()(args=arguments, prog_name="qianheng")
    except QianhengError as error:
        sys.stderr.write(f"qianheng: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


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
