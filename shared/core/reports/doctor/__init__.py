"""What is wrong with the installation itself, judged from what its parts answered: a pure function of answers.

    findings.py   the values: Answer, Finding, Level, Report
    judge.py      answers of storage, queue, sweep and clocks -> findings
    clouds.py     answers of Azure and Elastic Cloud -> findings
    text.py       a report as a person reads it

`api.doctor` asks, and hands what came back to these. Of a single connection its conditions tell; this is about
what all connections rest on.
"""
