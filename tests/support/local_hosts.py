"""Hosts that are this machine, or the metadata of AWS, to some reader.

A resolver, a browser or a careless parser: each would connect to 127.0.0.1, 127.0.0.2 or ::1.
"""

NUMBERS = """
127.0.0.1 127.0.0.2 127.1 127.0.1 0177.0.0.1 0177.1 0x7f.0.0.1 0x7f.1 0x7F000001 2130706433
2130706434 017700000001 00000177.1 127.0.0.01 127.0.0.1. 0 0.0.0.0 0x0 0.0
169.254.169.254 0xa9fea9fe 2852039166 \uff11\uff12\uff17.0.0.1 127\u30020\u30020\u30021
\u2460\u2461\u2466.\u24ea.\u24ea.\u2460
"""
IN_BRACKETS = """
[::1] [0:0:0:0:0:0:0:1] [0::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1]
[::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b:1::127.0.0.1]
[2002:7f00:1::] [::ffff:169.254.169.254] [fd00:ec2::254] [::1%25lo] [::1%lo] [::1%251]
[fe80::1%25lo]
"""
NAMES = "localhost LOCALHOST localhost. ip6-localhost sandbox.localdomain"
TRICKS = """
good@127.0.0.1 good:pass@127.0.0.1 127.0.0.1\\@good.test good.test\\@127.0.0.1
good.test%40127.0.0.1 good.test#@127.0.0.1 127%2e0%2e0%2e1 %31%32%37.0.0.1
127.0.0.1%00.good.test 127.0.0.1%0a.good.test
"""
LOCAL_HOSTS = tuple(f"{NUMBERS} {IN_BRACKETS} {NAMES} {TRICKS}".split())
