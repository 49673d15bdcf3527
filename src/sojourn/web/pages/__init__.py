"""The pages: templates over what the JSON API answers. No page knows a rule, and none reads what the API does not."""
