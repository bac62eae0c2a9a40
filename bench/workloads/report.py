# Parses JSON that it made, groups it, formats a report with classes and
# regular expressions.
import json
import re


class Account:
    def __init__(self, name, entries):
        self.name = name
        self.entries = entries

    def balance(self):
        return sum(entry["amount"] for entry in self.entries)


def entries(count):
    seed = 7
    for i in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        yield {
            "id": i,
            "account": "account-%d" % (seed % 40),
            "amount": seed % 2000 - 1000,
            "text": "payment %d of %s" % (seed % 90, "x" * (seed % 50)),
        }


document = json.dumps({"entries": list(entries(1500))})
groups = {}
for entry in json.loads(document)["entries"]:
    groups.setdefault(entry["account"], []).append(entry)

accounts = [Account(name, found) for name, found in groups.items()]
accounts.sort(key=Account.balance)
words = re.findall(r"[a-z]+", " ".join(e["text"] for a in accounts
                                       for e in a.entries))
print("\n".join(f"{a.name:>12} {a.balance():8d}" for a in accounts[:5]))
print(len(words), len(set(words)))
