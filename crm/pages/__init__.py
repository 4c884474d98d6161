"""The contacts workspace in the browser: one module by noun, built like the pages of `accounts`.

A change of a part of a page is a form that posts and redirects; htmx sends the
same form and takes the changed part out of the page that the redirect leads to.
"""
