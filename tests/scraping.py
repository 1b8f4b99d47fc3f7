"""Reads a page of metrics."""

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """The samples of one page. What is not on it is None."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def get(self, name: str, **labels: str) -> float | None:
        return self._found.get((name, frozenset(labels.items())))

    def labels(self, name: str) -> set[str]:
        """Return every value of every label of one metric."""
        return {
            value for (found, labels), _ in self._found.items() if found == name
            for _, value in labels
        }  # fmt: skip


def grown(before: Scrape, after: Scrape, name: str, **labels: str) -> float:
    """Return by how much a counter grew. The tests of a process share its counters."""
    return (after.get(name, **labels) or 0.0) - (before.get(name, **labels) or 0.0)
