"""`yocho demo`: the whole line on one machine in one command.

embedded broker   in this process
worker            a real `yocho worker`, a process of its own        child.py
simulated shop    a thread that sends events                        feed.py
alerts            read back, checked against the truth, shown       tally.py, screen.py
and how they are started, watched and ended                         run.py
"""
