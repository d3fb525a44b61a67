"""One page for whoever treats a person: twelve weeks of minutes, what they were measured with, and how sure they are."""
