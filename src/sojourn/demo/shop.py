"""The shop: a few thousand rows about people who do not exist, the same in every run."""

from __future__ import annotations

from typing import LiteralString

_FIRST = "Ada,Ben,Cleo,Dario,Edda,Finn,Greta,Hugo,Ines,Jon,Kira,Levi,Mona,Nils,Olga,Pia,Rosa,Sami,Tara,Ugo"
_LAST = "Abel,Brandt,Castell,Dorn,Eklund,Falk,Grund,Holm,Iversen,Jansen,Krall,Lindt,Moor,Norden,Oster,Pohl"

SEED: tuple[LiteralString, ...] = (
    "CREATE SCHEMA shop",
    "CREATE TABLE shop.customers (id int PRIMARY KEY, name text NOT NULL, mail text NOT NULL, city text NOT NULL)",
    "CREATE TABLE shop.orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES shop.customers,"
    " placed_at timestamptz NOT NULL, status text NOT NULL, total_cents bigint NOT NULL)",
    "CREATE TABLE shop.payments (id int PRIMARY KEY, order_id int NOT NULL REFERENCES shop.orders,"
    " method text NOT NULL, iban text NOT NULL, amount_cents bigint NOT NULL)",
    "INSERT INTO shop.customers SELECT i,"
    " (string_to_array('" + _FIRST + "', ','))[1 + i % 20] || ' ' ||"
    " (string_to_array('" + _LAST + "', ','))[1 + i * 7 % 16],"
    " 'customer' || i || '@example.com',"
    " (array['Lund','Porto','Graz','Turku','Delft'])[1 + i % 5] FROM generate_series(1, 800) i",
    "INSERT INTO shop.orders SELECT i, 1 + i * 13 % 800, timestamptz '2026-01-01 00:00Z' + i * interval '97 minutes',"
    " (array['paid','packed','shipped','open'])[1 + i * 5 % 4], 500 + i * 7919 % 25000 FROM generate_series(1, 4000) i",
    "INSERT INTO shop.payments SELECT i, i, (array['card','transfer'])[1 + i % 2],"
    " 'XX' || lpad((i * 104729 % 1000000)::text, 8, '0'), 500 + i * 7919 % 25000"
    " FROM generate_series(1, 4000) i WHERE i % 4 <> 3",
    "ANALYZE",
)
