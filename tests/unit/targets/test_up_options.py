from understudy.targets.up_options import UpOptions


def test_the_project_file_decides_what_nobody_says() -> None:
    options = UpOptions()
    assert (options.port, options.dev_port, options.dev, options.watch) == (None, None, True, True)
