-- Tables, indexes, joins, an update, a delete and text search by pattern.
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, item TEXT,
                     price REAL, day INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO customer SELECT i, 'name' || (i * 7919 % 300), 'city' || (i % 17)
FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO orders SELECT i, i * 31 % 300 + 1, 'item' || (i * 17 % 97),
                          i % 50 * 1.25, i % 365 FROM n;
CREATE INDEX by_customer ON orders (customer);
CREATE INDEX by_day ON orders (day, price);
SELECT city, count(*), sum(price) FROM customer JOIN orders
ON customer.id = orders.customer GROUP BY city ORDER BY 3 DESC LIMIT 5;
UPDATE orders SET price = price * 1.1 WHERE day BETWEEN 100 AND 200;
DELETE FROM orders WHERE item LIKE '%3';
SELECT item, group_concat(DISTINCT name) FROM orders JOIN customer
ON customer.id = orders.customer WHERE day < 30 GROUP BY item LIMIT 3;
SELECT count(*) FROM (SELECT day, max(price) FROM orders GROUP BY day);
