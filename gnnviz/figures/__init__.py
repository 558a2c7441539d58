"""The figures: pure functions from arrays and plain records to plotly figures."""
