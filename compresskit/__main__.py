from compresskit.cli.app import run

run()
