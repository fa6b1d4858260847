"""The one place that makes AWS clients, and the narrow ports the rest of the house uses them by."""
