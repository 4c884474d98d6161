"""The self-service pages: one module by noun, with its views and their forms.

A view reads input, calls one service and answers. Changes are plain forms that
redirect; htmx sends the same forms and takes the changed part out of the page
that the redirect leads to, so that both ways run through the same code.
"""
