-- Named statements about a file as a whole.

-- name: size
-- How many bytes its pages have, how many of these are free, and how many one page has.
SELECT page_count * page_size, freelist_count * page_size, page_size
FROM pragma_page_count, pragma_freelist_count, pragma_page_size;
