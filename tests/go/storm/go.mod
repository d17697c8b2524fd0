module storm

go 1.16
