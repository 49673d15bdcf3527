"""Sheets as files: a workbook, CSV and JSON of the same rows, bound under one manifest."""
