"""SCIM 2.0 (RFC 7643, 7644): a company's directory says who is there and in which groups. A skin over `workflow`."""
