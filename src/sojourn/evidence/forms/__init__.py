"""What a pack is read in besides its raw entries: pages, a print, and a workbook, all of the one story."""
