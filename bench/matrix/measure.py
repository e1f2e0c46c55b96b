#!/usr/bin/env python3
"""Runs a command with its output thrown away; prints wall and CPU seconds and peak resident MB as JSON.

  measure.py COMMAND ARGUMENT...
"""
import json, os, subprocess, sys, time

started = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(json.dumps({
    'wallSeconds': time.monotonic() - started,
    'cpuSeconds': usage.ru_utime + usage.ru_stime,
    'peakMB': usage.ru_maxrss / 1024,
}))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
