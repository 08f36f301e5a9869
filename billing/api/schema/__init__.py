"""The description of the API for programs (OpenAPI) and people.

types.py        what requests and answers are made of: the very types that decode them
words.py        a sentence, and often an example, for every field
components.py   types and words to schemas
operations.py   every method of every view: what it does, takes, answers and refuses
"""
