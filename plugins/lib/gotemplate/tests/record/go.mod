module record

go 1.26
