"""The screens' own tests, of what has no screen: arithmetic, store, queue. Vitest runs web/**/*.test.ts in Node."""

from backend import screen_build


def test_what_the_screens_say_of_themselves_holds(record_property):
    with screen_build.one_at_a_time():
        screen_build.install()
    said = screen_build.run("vitest", "run").decode()
    record_property(
        "tests of the screens in Node", next(line for line in said.splitlines() if "Tests " in line).strip()
    )
