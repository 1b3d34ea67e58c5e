"""The arithmetic of Paikar: columns in, columns out.

No Django, no clock, no files. Money is int64 minor units (poisha), dates are
datetime64[D], rates are percent a year; nothing here is ever a float.
Layers, each importing only what lies below it:
portfolio > classification > arrears > allocation > schedule > interest >
daycount | calendar | money.
"""
